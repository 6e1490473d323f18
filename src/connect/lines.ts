import { overLines } from '../core/lines.ts'
import type { OperationSpec } from '../core/provider.ts'
import { chain } from '../core/stages.ts'
import type { ByteSource, Stage } from '../core/stream.ts'
import { isObject, type JsonObject, tryParse } from '../wire/json.ts'

/** Bytes in which the first line of a stream must end; a longer one is taken for a whole answer. */
const longestLine = 256 * 1024

const decoder = new TextDecoder()

/** Whether a body that begins like JSON is a stream without its frame: a chunk a line (hyperonym/basaran#144). */
export function isOfLines(source: ByteSource): Promise<boolean> {
  return new Promise((resolve, reject) => {
    let start = ''
    source.peek({
      chunk(bytes) {
        // A character that is cut here is inside a text, which doesn't matter to what the line is.
        start = (start + decoder.decode(bytes)).trimStart()
        const isEnough = start.includes('\n') || start.length > longestLine
        if (isEnough) resolve(beginsWithChunk(start))
        return isEnough
      },
      end: () => resolve(beginsWithChunk(start)),
      fail(error) {
        source.cancel(error)
        reject(error)
      },
    })
  })
}

/** The same for a body that is there. */
export function isLines(bytes: Uint8Array): boolean {
  return beginsWithChunk(decoder.decode(bytes.subarray(0, longestLine)))
}

/** Whether the first line of a text is a piece of an answer, not all of it. */
function beginsWithChunk(text: string): boolean {
  const chunk = tryParse(text.trimStart().split('\n', 1)[0] ?? '')
  if (!isObject(chunk)) return false
  if (String(chunk.object).endsWith('.chunk')) return true
  return Array.isArray(chunk.choices) && chunk.choices.some((choice) => isObject(choice) && isPiece(choice))
}

function isPiece({ delta, text, finish_reason: reason }: JsonObject): boolean {
  return isObject(delta) || (typeof text === 'string' && !reason)
}

/** An operation whose stream comes in lines. */
export function ofLines(spec: OperationSpec, name: string): OperationSpec {
  return {
    ...spec,
    stream(context) {
      const own = spec.stream?.(context)
      return own ? chain(framed(name), own) : framed(name)
    },
  }
}

/** Makes an event of each line, unless it is one already. */
function framed(name: string): Stage {
  return overLines(name, (line) => {
    const text = line.trim()
    return /^[{[]/.test(text) ? `data: ${text}\n\n` : `${text}\n\n`
  })
}
