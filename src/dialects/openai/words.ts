import { errorEnvelope, type GatewayError, isMissing, shorten } from '../../wire/errors.ts'
import type { JsonObject } from '../../wire/json.ts'

/** How a failure is told. The clients of 2023 compare the words for a missing model: on their routes they stay. */
export function wordsOn(path: string): (failure: GatewayError) => JsonObject {
  return path === '/completions' || path.startsWith('/engines') ? legacyEnvelope : errorEnvelope
}

function legacyEnvelope(failure: GatewayError): JsonObject {
  if (failure.model === undefined || !isMissing(failure.kind)) return errorEnvelope(failure)
  const { type, code } = failure
  return { error: { message: `The model: \`${shorten(failure.model)}\` does not exist`, type, param: null, code } }
}
