import type { Conclusion, Fault, Sight } from '../../core/stream-reader.ts'
import { TypedEventsReader } from '../../operations/common/typed-events.ts'
import { isObject, type JsonObject } from '../../wire/json.ts'
import { toldError } from '../../wire/told-error.ts'
import { errorLine } from './words.ts'

/** Keys whose values differ from line to line. */
const texts: ReadonlySet<string> = new Set(['content', 'thinking', 'response', 'created_at'])

/** Reads the lines of an upstream that has this API itself, each as an event. */
export class LinesReader extends TypedEventsReader {
  readonly texts = texts
  conclusion: Conclusion | undefined

  get isOver(): boolean {
    return this.complete
  }

  protected read(line: JsonObject): Sight {
    if (toldError(line) !== undefined) return { told: line }
    if (line.done === true) {
      this.usage = usageOf(line)
      this.conclusion = conclusionOf(line)
      this.complete = true
      return 'finish'
    }
    return saysSomething(line) ? 'content' : 'nothing'
  }

  broken({ error }: JsonObject): readonly Uint8Array[] {
    return [new TextEncoder().encode(`data: ${errorLine(error)}\n\n`)]
  }
}

function saysSomething({ message, response, thinking }: JsonObject): boolean {
  const said = isObject(message) ? message : { content: response, thinking }
  return Boolean(said.content || said.thinking || said.tool_calls)
}

/** Why an answer is none: an error in it, nothing under `key`, or only a piece of a stream. */
export function faultIn(answer: JsonObject, key: string): Fault | undefined {
  if (toldError(answer) !== undefined) return { told: answer }
  if (answer.done === false) return { wrong: 'sent an answer that it had not finished' }
  return answer[key] === undefined ? { wrong: `sent an answer without ${key}` } : undefined
}

/** This API has no ids. */
export function conclusionOf({ done_reason: reason }: JsonObject): Conclusion {
  return { id: undefined, reasons: [reason] }
}

/** In OpenAI's terms. */
export function usageOf(answer: JsonObject): JsonObject | undefined {
  const { prompt_eval_count: prompt, eval_count: completion } = answer
  if (typeof prompt !== 'number' && typeof completion !== 'number') return undefined
  const [read, made] = [Number(prompt ?? 0), Number(completion ?? 0)]
  return { prompt_tokens: read, completion_tokens: made, total_tokens: read + made }
}
