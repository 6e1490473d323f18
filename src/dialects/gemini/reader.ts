import { gap } from '../../core/stream.ts'
import type { Breaking, Conclusion, Fault, NamingServices, Sight } from '../../core/stream-reader.ts'
import { TypedEventsReader } from '../../operations/common/typed-events.ts'
import { isObject, type JsonObject, objectAt } from '../../wire/json.ts'
import { toldError } from '../../wire/told-error.ts'
import { lastWords } from './words.ts'

const encoder = new TextEncoder()
const texts: ReadonlySet<string> = new Set(['text', 'data', 'thoughtSignature'])

/** Reads the chunks of an upstream that makes them itself. */
export class ContentReader extends TypedEventsReader {
  readonly texts = texts
  conclusion: Conclusion | undefined

  /** Older models tell a reason with each chunk, so that more may come. */
  get survivesBreak(): boolean {
    return this.complete
  }

  protected read(said: JsonObject): Sight {
    if (toldError(said) !== undefined) return { told: said }
    this.usage = usageIn(said) ?? this.usage
    const candidates = candidatesIn(said)
    if (candidates.some(({ finishReason }) => finishReason) || isBlocked(said)) {
      this.complete = true
      this.conclusion = conclusionOf(said)
      return 'finish'
    }
    return candidates.some(saysSomething) ? 'content' : 'nothing'
  }

  broken({ error }: JsonObject, _services: NamingServices, { retryAfterMs }: Breaking = {}): readonly Uint8Array[] {
    const { event, apart } = lastWords(error, retryAfterMs)
    return [encoder.encode(event), gap, encoder.encode(apart)]
  }
}

/** Why an answer is none. That its prompt was blocked is one. */
export function faultIn(answer: JsonObject): Fault | undefined {
  if (toldError(answer) !== undefined) return { told: answer }
  return candidatesIn(answer).length > 0 || isBlocked(answer)
    ? undefined
    : { wrong: 'sent an answer without candidates' }
}

export function conclusionOf(answer: JsonObject): Conclusion {
  return { id: answer.responseId, reasons: candidatesIn(answer).map(({ finishReason }) => finishReason) }
}

/** With the total in OpenAI's terms: theirs isn't there before the end, in some versions. */
export function usageIn(answer: JsonObject): JsonObject | undefined {
  const told = objectAt(answer, 'usageMetadata')
  if (!told) return undefined
  const prompt = Number(told.promptTokenCount ?? 0)
  const completion = Number(told.candidatesTokenCount ?? 0) + Number(told.thoughtsTokenCount ?? 0)
  return { ...told, promptTokenCount: prompt, total_tokens: prompt + completion }
}

function candidatesIn({ candidates }: JsonObject): readonly JsonObject[] {
  return Array.isArray(candidates) ? candidates.filter(isObject) : []
}

/** While a model thinks, its chunks may have no part, or an empty text. */
function saysSomething({ content }: JsonObject): boolean {
  const parts = isObject(content) && Array.isArray(content.parts) ? content.parts.filter(isObject) : []
  return parts.some((part) => part.text !== '')
}

function isBlocked(answer: JsonObject): boolean {
  return Boolean(objectAt(answer, 'promptFeedback')?.blockReason)
}
