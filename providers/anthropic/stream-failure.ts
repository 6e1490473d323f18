import { contextMessage } from '../../src/core/context-message.ts'
import { fittingRule } from '../../src/core/recognise.ts'
import { readSaidInBand } from '../../src/core/said.ts'
import { kindOfStatus, statusOfType } from '../../src/core/statuses.ts'
import { GatewayError, unknownModel } from '../../src/wire/errors.ts'
import type { JsonObject } from '../../src/wire/json.ts'
import { anthropicErrors } from './failures.ts'

/** The failure that an event of a stream reports. */
export function streamFailure(event: JsonObject, model: string): GatewayError {
  const said = readSaidInBand(event)
  const status = said.status ?? statusOfType[said.type ?? '']
  const rule = fittingRule(said, { own: anthropicErrors, status })
  const kind = rule?.kind ?? (status === undefined ? 'upstream' : kindOfStatus(status))
  if (kind === 'not_found' || kind === 'retired') return unknownModel(model, kind)
  // What is said of the gateway's own key is not for clients.
  if (kind === 'auth') return new GatewayError(kind, "The gateway's credentials for Anthropic were rejected.")
  const words = `Anthropic failed: ${said.message || 'it did not say why'}`
  if (kind === 'context_length') return new GatewayError(kind, contextMessage(said.message), { param: 'messages' })
  return new GatewayError(kind, words, { param: rule?.param ?? null })
}
