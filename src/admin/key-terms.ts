import type { Key, KeyLimits, RateLimits } from '../state/key.ts'
import type { KeyTerms } from '../state/key-store.ts'
import { mostDollars, nanoDollarsOf } from '../state/money.ts'
import { invalid } from '../wire/body.ts'
import type { JsonObject } from '../wire/json.ts'
import {
  flag,
  integer,
  line,
  listOf,
  missing,
  number,
  objectUpTo,
  oneOf,
  orNull,
  type Read,
  type Reader,
  readFields,
  recordOf,
  time,
} from './fields.ts'

const name = line(200)
export const rate = integer(1, 1e12)

/** Dollars as nano-dollars. */
export const budget: Reader<number> = (value, field) => {
  const dollars = number(value, field)
  const found = dollars >= 0 ? nanoDollarsOf(dollars) : undefined
  if (found !== undefined) return found
  const message = `Invalid '${field}': expected dollars from 0 to ${mostDollars} with 9 decimals at most, but got ${dollars} instead.`
  throw invalid(message, field, 'invalid_value')
}

/** What both a new key and a change may say; null takes a limit off. */
const common = {
  name,
  disabled: flag,
  limit: orNull(budget),
  limit_reset: orNull(oneOf('daily', 'weekly', 'monthly')),
  expires_at: orNull(time),
  models: orNull(listOf(line(256), 1000)),
  rpm_limit: orNull(rate),
  tpm_limit: orNull(rate),
  max_parallel_requests: orNull(integer(1, 1e6)),
  model_rpm_limit: orNull(recordOf(rate, 1000)),
  model_tpm_limit: orNull(recordOf(rate, 1000)),
  end_user_rpm_limit: orNull(rate),
  end_user_tpm_limit: orNull(rate),
  budget_mode: orNull(oneOf('exact', 'estimate')),
  allow_unbounded: orNull(flag),
  cache: orNull(flag),
  on_store_error: orNull(oneOf('refuse', 'admit')),
  metadata: orNull(objectUpTo(16 * 1024)),
  project_id: orNull(name),
  user_id: orNull(name),
  // OpenRouter's clients may send these; keys of providers are no matter of budgets here.
  include_byok_in_limit: flag,
  workspace_id: orNull(name),
}
const changing = { ...common, forgive: flag }

type Terms = Read<typeof common>

/** What a body says of a new key. `now`: milliseconds since 1970. Throws a 400. */
export function newTerms(body: JsonObject, now: number): KeyTerms {
  const fields = readFields(body, common)
  if (fields.name === undefined) throw missing('name')
  if (typeof fields.expires_at === 'number' && fields.expires_at <= now)
    throw invalid("Invalid 'expires_at': it is in the past.", 'expires_at', 'invalid_value')
  return termsOf({ name: fields.name, disabled: false, limits: {}, metadata: {} }, fields)
}

/** What a body says of a key that is there, the project that it moves to, and whether it gives back what was lost. Throws a 400. */
export function changedTerms(body: JsonObject) {
  const { forgive = false, ...fields } = readFields(body, changing)
  const change = (key: Key): KeyTerms => termsOf(key, fields)
  const project = fields.project_id ?? fields.workspace_id ?? undefined
  return { forgive, project, change: Object.keys(fields).length > 0 ? change : undefined }
}

function termsOf(before: KeyTerms, fields: Terms): KeyTerms {
  const { project_id: ownProject, workspace_id: workspace } = fields
  if (ownProject !== undefined && workspace !== undefined && ownProject !== workspace)
    throw invalid("'workspace_id' is another name for 'project_id': give one of them.", 'workspace_id', 'invalid_value')
  const project = changed(before.project, ownProject === undefined ? workspace : ownProject)
  const user = changed(before.user, fields.user_id)
  const expiresAt = changed(before.expiresAt, fields.expires_at)
  return {
    name: fields.name ?? before.name,
    disabled: fields.disabled ?? before.disabled,
    ...(project !== undefined && { project }),
    ...(user !== undefined && { user }),
    ...(expiresAt !== undefined && { expiresAt }),
    limits: limitsOf(before.limits, fields),
    metadata: changed(before.metadata, fields.metadata) ?? {},
  }
}

function limitsOf(before: KeyLimits, fields: Terms): KeyLimits {
  const { rpm: endUserRpm, tpm: endUserTpm } = before.userLimits ?? {}
  return present<KeyLimits>({
    models: changed(before.models, fields.models),
    rpm: changed(before.rpm, fields.rpm_limit),
    tpm: changed(before.tpm, fields.tpm_limit),
    parallel: changed(before.parallel, fields.max_parallel_requests),
    modelLimits: modelLimitsOf(before.modelLimits ?? {}, fields),
    userLimits: filled(
      present<RateLimits>({
        rpm: changed(endUserRpm, fields.end_user_rpm_limit),
        tpm: changed(endUserTpm, fields.end_user_tpm_limit),
      }),
    ),
    budget: changed(before.budget, fields.limit),
    budgetReset: changed(before.budgetReset ?? undefined, fields.limit_reset),
    budgetMode: changed(before.budgetMode, fields.budget_mode),
    allowUnbounded: changed(before.allowUnbounded, fields.allow_unbounded),
    cache: changed(before.cache, fields.cache),
    onStoreError: changed(before.onStoreError, fields.on_store_error),
  })
}

function modelLimitsOf(before: Readonly<Record<string, RateLimits>>, fields: Terms): KeyLimits['modelLimits'] {
  const rpm = changed(valuesOf(before, 'rpm'), fields.model_rpm_limit) ?? {}
  const tpm = changed(valuesOf(before, 'tpm'), fields.model_tpm_limit) ?? {}
  const models = [...new Set([...Object.keys(rpm), ...Object.keys(tpm)])]
  return filled(
    Object.fromEntries(
      models.map((model) => [model, present<RateLimits>({ rpm: own(rpm, model), tpm: own(tpm, model) })]),
    ),
  )
}

/** The limits of one kind, by model. */
export function valuesOf(limits: Readonly<Record<string, RateLimits>>, kind: keyof RateLimits): Record<string, number> {
  return Object.fromEntries(
    Object.entries(limits).flatMap(([model, { [kind]: value }]) => (value === undefined ? [] : [[model, value]])),
  )
}

/** What stands after a change: null takes it away, undefined leaves it. */
export function changed<T>(before: T | undefined, given: T | null | undefined): T | undefined {
  return given === undefined ? before : (given ?? undefined)
}

/** An object without the fields that are undefined. */
export function present<T extends object>(fields: { readonly [Name in keyof T]?: T[Name] | undefined }): T {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T
}

function filled<T extends object>(fields: T): T | undefined {
  return Object.keys(fields).length === 0 ? undefined : fields
}

function own<T>(record: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined
}
