import { edited, type RequestBody } from '../../wire/body.ts'
import { isObject, type JsonObject, tryParse } from '../../wire/json.ts'
import type { ReasoningFormat } from '../../wire/reasoning-details.ts'
import { opened, sealed } from '../../wire/sealed.ts'

/** In which Gemini's own signatures are kept. */
export const google: ReasoningFormat = 'google-gemini-v1'

/** Google's own for a call that no Gemini made: clients put it on calls that came without a signature. */
export const placeholder = 'skip_thought_signature_validator'

/** The type of a detail with the `extra_content` of a call, which Google's endpoint in OpenAI's format wants back. */
export const extraOfCall = 'tool_call.extra'

/** The number that the gateway seals details with. */
const kind = 4
/** What begins like a sealed text, in base64. */
const start = 'c2FtZXdpcm'

/** What models other than Gemini must get back with a call. A signature is base64: Google's libraries decode it. */
export function sealedSignature(details: readonly JsonObject[]): string {
  return btoa(sealed(JSON.stringify(details), kind))
}

export function isOurs(signature: unknown): signature is string {
  return typeof signature === 'string' && signature.startsWith(start)
}

/** The details in a signature, none if it was changed. Python's library sends the base64 of URLs. */
export function detailsInSignature(signature: string): readonly JsonObject[] {
  try {
    const inside = opened(atob(signature.replaceAll('-', '+').replaceAll('_', '/')))
    const details = inside?.kind === kind ? tryParse(inside.text) : undefined
    return Array.isArray(details) ? details.filter(isObject) : []
  } catch {
    return []
  }
}

/** A request without what another model's turns left in it, which Gemini refuses. */
export function unsealed(body: RequestBody): RequestBody {
  // The outline has no long texts, which signatures may be: the text tells.
  if (!body.text.includes(start)) return body
  const { contents } = body.json
  if (!Array.isArray(contents)) return body
  return edited(body, { set: new Map([['contents', JSON.stringify(contents.map(contentWithout))]]) })
}

function contentWithout(content: unknown): unknown {
  if (!isObject(content) || !Array.isArray(content.parts)) return content
  return { ...content, parts: content.parts.map(partWithout) }
}

function partWithout(part: unknown): unknown {
  if (!isObject(part)) return part
  const { thoughtSignature, thought_signature: other, ...rest } = part
  if (!isOurs(thoughtSignature) && !isOurs(other)) return part
  return rest.functionCall || rest.function_call ? { ...rest, thoughtSignature: placeholder } : rest
}
