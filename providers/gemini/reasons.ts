import { GatewayError } from '../../src/wire/errors.ts'

/** Ends that are no answer: what the model was about to do can't be read, or wasn't asked for. Its next try may do. */
const failures: ReadonlySet<string> = new Set([
  'MALFORMED_FUNCTION_CALL',
  'UNEXPECTED_TOOL_CALL',
  'TOO_MANY_TOOL_CALLS',
  'MALFORMED_RESPONSE',
  'MISSING_THOUGHT_SIGNATURE',
  'NO_IMAGE',
])

/** Google's own endpoint in OpenAI's format says `content_filter: OTHER` too. */
const filters = /SAFETY|RECITATION|PROHIBITED|BLOCKLIST|SPII|LANGUAGE|ARMOR|OTHER/

/** What came of a candidate before it ended. */
interface Came {
  readonly called: boolean
  /** Whether there was any text, picture or call. */
  readonly said: boolean
}

/**
 * OpenAI's reason for the end of a candidate. Throws where it ends without an answer. `words`: what Gemini says of it.
 * https://ai.google.dev/api/generate-content#FinishReason
 */
export function finishOf(reason: string, { called, said }: Came, words?: string): string {
  if (failures.has(reason) && !said) {
    throw new GatewayError('upstream', `Gemini ended without an answer: ${words || reason}`)
  }
  if (reason === 'MAX_TOKENS') return 'length'
  if (filters.test(reason)) return 'content_filter'
  return called ? 'tool_calls' : 'stop'
}
