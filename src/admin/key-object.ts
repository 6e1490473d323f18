import { dollarsOf } from '../prices/money.ts'
import type { Key } from '../state/key.ts'
import type { Spending } from '../state/ledger.ts'
import type { Reading } from '../state/meters.ts'
import { valuesOf } from './key-terms.ts'
import { type AdminState, budgetMeter } from './state.ts'

const nothing: Spending = { total: 0, daily: 0, weekly: 0, monthly: 0 }

/** Keys as OpenRouter's clients read them, with what OpenRouter doesn't have under LiteLLM's names. */
export async function keyObjects(keys: readonly Key[], state: AdminState) {
  const spending = await state.usage.spending(keys.map(({ id }) => id))
  return await Promise.all(keys.map(async (key) => keyObject(key, spending.get(key.id), await readingOf(key, state))))
}

/** What the meter of a key's budget says; undefined if it has none. */
async function readingOf(key: Key, { meters, clock }: AdminState): Promise<Reading | undefined> {
  if (key.limits.budget === undefined) return undefined
  return await meters.read(budgetMeter(key, clock.now()))
}

function keyObject(key: Key, spending: Spending | undefined, reading: Reading | undefined) {
  const { limits, createdAt, updatedAt, expiresAt } = key
  return {
    ...budgetFields(key, spending, reading),
    id: key.id,
    hash: key.id,
    name: key.name,
    disabled: key.disabled,
    created_at: isoTime(createdAt),
    updated_at: updatedAt === undefined ? null : isoTime(updatedAt),
    expires_at: expiresAt === undefined ? null : isoTime(expiresAt),
    external_user: null,
    workspace_id: key.project ?? 'default',
    project_id: key.project ?? null,
    user_id: key.user ?? null,
    ...limitFields(key),
    budget_mode: limits.budgetMode ?? 'exact',
    allow_unbounded: limits.allowUnbounded ?? false,
    cache: limits.cache ?? true,
    on_store_error: limits.onStoreError ?? null,
    metadata: key.metadata,
  }
}

/** What a key's own holder may know of it. */
export async function ownObject(key: Key, state: AdminState) {
  const [reading, spending] = await Promise.all([readingOf(key, state), state.usage.spending([key.id])])
  const { rpm } = key.limits
  return {
    ...budgetFields(key, spending.get(key.id), reading),
    ...limitFields(key),
    ...forOpenRouter,
    name: key.name,
    expires_at: key.expiresAt === undefined ? null : isoTime(key.expiresAt),
    workspace_id: key.project ?? null,
    rate_limit: { requests: rpm ?? -1, interval: '60s', note: rpm === undefined ? 'No limit.' : 'Requests a minute.' },
  }
}

/** What the admin key is told of itself. */
export function operatorObject() {
  const nobody: Key = {
    id: '',
    name: '',
    hint: 'SAMEWIRE_ADMIN_KEY',
    disabled: false,
    createdAt: 0,
    limits: {},
    metadata: {},
  }
  return {
    ...budgetFields(nobody, undefined, undefined),
    ...forOpenRouter,
    expires_at: null,
    is_management_key: true,
    is_provisioning_key: true,
    workspace_id: null,
    rate_limit: { requests: -1, interval: '60s', note: 'No limit, and no models.' },
  }
}

function budgetFields(key: Key, spending: Spending = nothing, reading: Reading | undefined) {
  const { budget, budgetReset = null } = key.limits
  const left = budget === undefined || !reading ? null : Math.max(0, budget - reading.spent - reading.held)
  return {
    label: key.hint,
    limit: budget === undefined ? null : dollarsOf(budget),
    limit_remaining: left === null ? null : dollarsOf(left),
    limit_reset: budgetReset,
    lost: reading ? dollarsOf(reading.lost) : 0,
    usage: dollarsOf(spending.total),
    usage_daily: dollarsOf(spending.daily),
    usage_weekly: dollarsOf(spending.weekly),
    usage_monthly: dollarsOf(spending.monthly),
    // Clients read these without a look whether they are there.
    include_byok_in_limit: false,
    byok_usage: 0,
    byok_usage_daily: 0,
    byok_usage_weekly: 0,
    byok_usage_monthly: 0,
    creator_user_id: null,
  }
}

function limitFields({ limits }: Key) {
  const { models, rpm, tpm, parallel, modelLimits = {}, userLimits } = limits
  return {
    models: models ?? null,
    rpm_limit: rpm ?? null,
    tpm_limit: tpm ?? null,
    max_parallel_requests: parallel ?? null,
    model_rpm_limit: valuesOf(modelLimits, 'rpm'),
    model_tpm_limit: valuesOf(modelLimits, 'tpm'),
    end_user_rpm_limit: userLimits?.rpm ?? null,
    end_user_tpm_limit: userLimits?.tpm ?? null,
  }
}

/** What its clients need to find, and has no meaning here. */
const forOpenRouter = {
  allowed_data_regions: [],
  free_model_daily_requests: { limit: 0, remaining: 0, used: 0 },
  is_free_tier: false,
  is_management_key: false,
  is_provisioning_key: false,
  organization_id: null,
}

const isoTime = (ms: number) => new Date(ms).toISOString()
