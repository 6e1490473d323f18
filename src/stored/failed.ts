import { errorOf } from '../operations/responses/response.ts'
import { errorEnvelope, type GatewayError } from '../wire/errors.ts'
import type { JsonObject } from '../wire/json.ts'

/** A response that was not made, and why. */
export function failed(queued: JsonObject, failure: GatewayError): JsonObject {
  return { ...queued, status: 'failed', error: errorOf(errorEnvelope(failure).error) }
}
