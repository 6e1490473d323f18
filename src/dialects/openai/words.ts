import { errorEnvelope, type GatewayError, isMissing, shorten } from '../../wire/errors.ts'
import type { JsonObject } from '../../wire/json.ts'

/** Returns how errors are worded. Clients of 2023 compare the message for a missing model, so their routes keep it. */
export function wordsOn(path: string): (failure: GatewayError) => JsonObject {
  return path === '/completions' || path.startsWith('/engines') ? legacyEnvelope : errorEnvelope
}

function legacyEnvelope(failure: GatewayError): JsonObject {
  if (failure.model === undefined || !isMissing(failure.kind)) return errorEnvelope(failure)
  const { type, code } = failure
  return { error: { message: `The model: \`${shorten(failure.model)}\` does not exist`, type, param: null, code } }
}
