import { type JsonObject, objectAt, stringAt } from '../../src/wire/json.ts'
import { detailsIn, type ReasoningDetail } from '../../src/wire/reasoning-details.ts'
import { isOlder } from './families.ts'

const format = 'google-gemini-v1'

/**
 * Google's own for a call that no Gemini made, such as one of another provider: without any signature on the first call
 * of a step Gemini 3 refuses the turn. https://ai.google.dev/gemini-api/docs/generate-content/thought-signatures
 */
const placeholder = 'skip_thought_signature_validator'

/** What a part's signature becomes in a message. `id`: of the call that it is for; absent: it is for the text. */
export function detailOf(data: string, index: number, id?: string): ReasoningDetail {
  return { type: 'reasoning.encrypted', data, ...(id !== undefined && { id }), format, index }
}

/** The same on the call itself, as on Google's own endpoint in OpenAI's format. */
export function extraContent(signature: string | undefined): JsonObject {
  return signature === undefined ? {} : { extra_content: { google: { thought_signature: signature } } }
}

/** The signatures in a message that was sent back: by call, and that of the text. */
export interface Signatures {
  readonly calls: readonly (string | undefined)[]
  readonly text: string | undefined
}

/** Reads them from the calls and from the details. The first call gets the placeholder where the model wants one. */
export function signaturesOf(message: JsonObject, calls: readonly JsonObject[], model: string): Signatures {
  const details = detailsIn(message, format).filter(({ type, data }) => type === 'reasoning.encrypted' && data)
  const own = calls.map((call) => onCall(call) ?? dataOf(details.find(({ id }) => id !== undefined && id === call.id)))
  const ids = new Set(calls.map(({ id }) => id))
  const other = dataOf(details.find(({ id }) => id === undefined || !ids.has(id)))
  if (calls.length === 0 || own.some((signature) => signature !== undefined)) return { calls: own, text: other }
  // A client may have given its calls ids of its own.
  const [, ...rest] = own
  return { calls: [other ?? (isOlder(model) ? undefined : placeholder), ...rest], text: undefined }
}

function onCall(call: JsonObject): string | undefined {
  return stringAt(objectAt(objectAt(call, 'extra_content'), 'google'), 'thought_signature')
}

function dataOf(detail: JsonObject | undefined): string | undefined {
  return stringAt(detail, 'data')
}
