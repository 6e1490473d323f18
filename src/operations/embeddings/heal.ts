import type { Supports } from '../../core/operation.ts'
import type { Remedy } from '../../core/remedy.ts'
import type { FailureKind, GatewayError } from '../../wire/errors.ts'
import type { JsonObject } from '../../wire/json.ts'

const curable: ReadonlySet<FailureKind> = new Set(['bad_request', 'incapable', 'upstream'] as const)

/** What a refusal of each field speaks of. */
const words: Readonly<Record<'encoding_format' | 'dimensions', RegExp>> = {
  encoding_format: /\bencoding_format\b|\bbase64\b/i,
  dimensions: /dimensions?\b|matryoshka/i,
}

/**
 * Leaves out what an upstream refuses and the gateway does as well: another form of the vectors, and shorter ones if the
 * configuration says that the model's may be cut.
 */
export function healEmbeddings(
  { kind, param, message }: GatewayError,
  sent: () => JsonObject,
  supports: Supports,
): Remedy | undefined {
  if (!curable.has(kind)) return undefined
  const own =
    supports.dimensions === true ? (['encoding_format', 'dimensions'] as const) : (['encoding_format'] as const)
  const drop = own.filter((name) => (param === name || words[name].test(message)) && (sent()[name] ?? null) !== null)
  return drop.length > 0 ? { drop } : undefined
}
