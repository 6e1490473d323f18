import { errorEnvelope, type GatewayError, isMissing, shorten } from '../../wire/errors.ts'
import type { JsonObject } from '../../wire/json.ts'

/**
 * Returns how errors are worded. Clients of 2023 compare the message for a missing model, so their routes keep it, and
 * those of Azure the codes that are Azure's own.
 */
export function wordsOn(path: string): (failure: GatewayError) => JsonObject {
  if (path.startsWith('/openai/deployments')) return azureEnvelope
  return path === '/completions' || path.startsWith('/engines') ? legacyEnvelope : errorEnvelope
}

/** Clients that see the code of the filter read `innererror` unasked: openai/openai-cookbook examples/azure/chat. */
function azureEnvelope(failure: GatewayError): JsonObject {
  const { message, type, param, kind, status } = failure
  if (isMissing(kind) && status === 404) return { error: { message, type, param, code: 'DeploymentNotFound' } }
  if (kind !== 'content_policy') return errorEnvelope(failure)
  const innererror = { code: 'ResponsibleAIPolicyViolation', content_filter_result: {} }
  return { error: { message, type, param, code: 'content_filter', status, innererror } }
}

function legacyEnvelope(failure: GatewayError): JsonObject {
  if (failure.model === undefined || !isMissing(failure.kind)) return errorEnvelope(failure)
  const { type, code } = failure
  return { error: { message: `The model: \`${shorten(failure.model)}\` does not exist`, type, param: null, code } }
}
