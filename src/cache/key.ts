import type { Call } from '../core/call.ts'
import { optionsField } from '../core/gateway-options.ts'
import { hasRouting, routingFields } from '../core/read-preferences.ts'
import { concat } from '../wire/block.ts'
import type { RequestBody } from '../wire/body.ts'
import { members } from '../wire/members.ts'

/** Grows whenever the same request may mean something else than before. */
const version = 1

/** What says how an answer is sent, not which one it is. The model is in the key by the name of its group. */
const form = ['model', 'stream', 'stream_options']
/** What says nothing to a model, and isn't in its answers. */
const aside = ['user', 'safety_identifier', 'metadata', 'prompt_cache_key', 'service_tier']
const leftOut: ReadonlySet<string> = new Set([...form, ...aside])
const leftOutOfEchoed: ReadonlySet<string> = new Set(form)

/** What tells one request's answer from another's, beside the fields of the request. */
export interface Likeness {
  readonly tenant: string
  /** The model by the name that is asked for, and what the configuration makes of it. */
  readonly model: string
  readonly fingerprint: string
  /** Whose account at the provider pays, if that is the caller's own. */
  readonly bearer: string | undefined
  /** The request as it came, with what it says of its routing. */
  readonly asked: RequestBody
}

/**
 * The bytes that two requests have in common only if one answer is right for both. Each member is there as it was written:
 * as numbers, 12345678901234567890 and …891 would be the same.
 */
export function likenessOf(call: Pick<Call, 'operation' | 'body' | 'carried'>, likeness: Likeness): Uint8Array {
  const { operation, body, carried = {} } = call
  const { tenant, model, fingerprint, bearer = null, asked } = likeness
  const without = operation.echoes ? leftOutOfEchoed : leftOut
  const headers = Object.entries(carried).sort()
  const pieces = [
    encoder.encode(JSON.stringify([version, tenant, operation.name, model, fingerprint, bearer, headers])),
    ...sorted(body, (name) => !without.has(name)),
  ]
  if (asked !== body && hasRouting(asked.outline)) {
    pieces.push(encoder.encode('\nrouting'))
    pieces.push(...sorted(asked, (name) => routingFields.has(name) || name === optionsField))
  }
  return concat(pieces)
}

/** The members of a body in the order of their names, each behind its name and its length. */
function sorted({ bytes }: RequestBody, isPart: (name: string) => boolean): Uint8Array[] {
  const parts = members(bytes).filter(({ key }) => isPart(key))
  parts.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : a.start - b.start))
  return parts.flatMap(({ key, valueStart, end }) => [
    encoder.encode(`\n${JSON.stringify(key)}:${end - valueStart}:`),
    bytes.subarray(valueStart, end),
  ])
}

const encoder = new TextEncoder()
