import { isObject, tryParse } from '../wire/json.ts'
import { type Given, Misuse, printableLines } from './command.ts'
import { tableLines } from './table.ts'

/** A key as the gateway shows it, as far as it is printed. */
export interface ListedKey {
  readonly id: string
  readonly name: string
  readonly label: string
  readonly disabled: boolean
  readonly expires_at: string | null
  readonly limit: number | null
  readonly limit_reset: string | null
  readonly usage: number
  readonly [field: string]: unknown
}

type Column = (key: ListedKey) => string

const columns: Readonly<Record<string, Column>> = {
  id: ({ id }) => id,
  name: ({ name }) => name,
  secret: ({ label }) => label,
  state: ({ disabled, expires_at: expires }) => (disabled ? 'disabled' : stateOf(expires)),
  spent: ({ usage }) => dollars(usage),
  budget: ({ limit, limit_reset: reset }) => (limit === null ? '' : `${dollars(limit)}${reset ? ` ${reset}` : ''}`),
  rpm: ({ rpm_limit: rpm }) => text(rpm),
  tpm: ({ tpm_limit: tpm }) => text(tpm),
  parallel: ({ max_parallel_requests: parallel }) => text(parallel),
  models: ({ models }) => text(models),
  project: ({ project_id: project }) => text(project),
  user: ({ user_id: user }) => text(user),
}

export const keyTable = (keys: readonly ListedKey[]): string => `${tableLines(columns, keys).join('\n')}\n`

/** One key, a line for each thing that it has. */
export function keyLines(key: ListedKey): string {
  const all: Readonly<Record<string, Column>> = {
    ...columns,
    today: ({ usage_daily: spent }) => dollars(Number(spent)),
    'this week': ({ usage_weekly: spent }) => dollars(Number(spent)),
    'this month': ({ usage_monthly: spent }) => dollars(Number(spent)),
    left: ({ limit_remaining: left }) => (left === null ? '' : dollars(Number(left))),
    lost: ({ lost }) => (lost === 0 ? '' : dollars(Number(lost))),
    'model rpm': ({ model_rpm_limit: limits }) => byModel(limits),
    'model tpm': ({ model_tpm_limit: limits }) => byModel(limits),
    'user rpm': ({ end_user_rpm_limit: rpm }) => text(rpm),
    'user tpm': ({ end_user_tpm_limit: tpm }) => text(tpm),
    mode: ({ budget_mode: mode }) => (mode === 'exact' ? '' : text(mode)),
    unbounded: ({ allow_unbounded: allowed }) => (allowed === true ? 'allowed' : ''),
    created: ({ created_at: created }) => text(created),
    metadata: ({ metadata }) =>
      isObject(metadata) && Object.keys(metadata).length > 0 ? JSON.stringify(metadata) : '',
  }
  const lines = Object.entries(all).map(([head, column]) => [head, column(key)] as const)
  const shown = lines.filter(([, value]) => value !== '')
  return printableLines(shown.map(([head, value]) => `${head.padEnd(12)}${value}\n`).join(''))
}

const byModel = (limits: unknown) =>
  isObject(limits)
    ? Object.entries(limits)
        .map(([model, limit]) => `${model}=${limit}`)
        .join(', ')
    : ''

function stateOf(expires: string | null): string {
  if (expires === null) return 'active'
  return Date.parse(expires) <= Date.now() ? 'expired' : `until ${expires}`
}

/** At least cents, and no rounding of what is less. */
export function dollars(amount: number): string {
  const [whole = '', part = ''] = amount.toFixed(9).split('.')
  return `$${whole}.${part.replace(/0{1,7}$/, '')}`
}

const text = (value: unknown) => (Array.isArray(value) ? value.join(', ') : value === null ? '' : String(value ?? ''))

/** What the options say of a key, as the gateway reads it. Throws a `Misuse`. */
export function fieldsOf({ values }: Given): Record<string, unknown> {
  const fields: Record<string, unknown> = {}
  for (const [option, { field, read }] of Object.entries(readers)) {
    const value = values[option]
    if (value !== undefined) fields[field] = value === 'none' && option !== 'name' ? null : read(value, option)
  }
  return fields
}

interface FieldReader {
  readonly field: string
  readonly read: (value: string, option: string) => unknown
}

const asText = (value: string) => value

const readers: Readonly<Record<string, FieldReader>> = {
  name: { field: 'name', read: asText },
  limit: { field: 'limit', read: numberOf },
  reset: { field: 'limit_reset', read: asText },
  models: { field: 'models', read: (value) => value.split(',').map((name) => name.trim()) },
  rpm: { field: 'rpm_limit', read: numberOf },
  tpm: { field: 'tpm_limit', read: numberOf },
  parallel: { field: 'max_parallel_requests', read: numberOf },
  'model-rpm': { field: 'model_rpm_limit', read: limitsOf },
  'model-tpm': { field: 'model_tpm_limit', read: limitsOf },
  'end-user-rpm': { field: 'end_user_rpm_limit', read: numberOf },
  'end-user-tpm': { field: 'end_user_tpm_limit', read: numberOf },
  'budget-mode': { field: 'budget_mode', read: asText },
  unbounded: { field: 'allow_unbounded', read: (value) => value === 'yes' },
  expires: { field: 'expires_at', read: timeOf },
  project: { field: 'project_id', read: asText },
  user: { field: 'user_id', read: asText },
  metadata: { field: 'metadata', read: objectOf },
}

function numberOf(value: string, option: string): number {
  if (/^\d+(\.\d+)?$/.test(value)) return Number(value)
  throw new Misuse(`--${option}: ${value} is no number, and not none`)
}

/** `model=limit`, with commas between them. A name may have signs of equality of its own. */
function limitsOf(value: string, option: string): Record<string, number> {
  return Object.fromEntries(
    value.split(',').map((one) => {
      const [, model, limit = ''] = /^\s*(.+)=\s*(\S+)\s*$/.exec(one) ?? []
      if (model === undefined) throw new Misuse(`--${option}: ${one.trim()} is no MODEL=NUMBER`)
      return [model, numberOf(limit, option)]
    }),
  )
}

function timeOf(value: string): string {
  const [, count, unit] = /^(\d{1,5})([hd])$/.exec(value) ?? []
  if (count !== undefined)
    return new Date(Date.now() + Number(count) * (unit === 'h' ? 1 : 24) * 3_600_000).toISOString()
  return /^\d{4}-\d\d-\d\d$/.test(value) ? `${value}T00:00:00Z` : value
}

function objectOf(value: string, option: string): object {
  const found = tryParse(value)
  if (isObject(found)) return found
  throw new Misuse(`--${option}: ${value} is no JSON object`)
}
