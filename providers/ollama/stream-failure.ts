import { contextMessage } from '../../src/core/context-message.ts'
import { fittingRule } from '../../src/core/recognise.ts'
import { readSaidInBand } from '../../src/core/said.ts'
import { GatewayError } from '../../src/wire/errors.ts'
import { ollamaErrors } from './failures.ts'

/** The failure that a line of a stream reports, under HTTP 200. */
export function streamFailure(error: unknown, model: string): GatewayError {
  const said = readSaidInBand(error)
  const { message } = said
  const rule = fittingRule(said, { own: ollamaErrors, status: said.status })
  if (!rule) return new GatewayError('upstream', `Ollama failed: ${message || 'it did not say why'}`)
  const param = rule.kind === 'not_pulled' || rule.kind === 'not_found' ? 'model' : null
  const word = rule.kind === 'context_length' ? contextMessage(message) : message
  return new GatewayError(rule.kind, rule.say?.(model) ?? word, { param })
}
