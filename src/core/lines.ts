import { Block } from '../wire/block.ts'
import { GatewayError } from '../wire/errors.ts'
import type { Emit, Stage } from './stream.ts'

/** Maximum bytes of a line. A longer one is no token, but would exhaust the memory. */
const lineLimit = 16 * 1024 * 1024
const lineEnd = 10
const encoder = new TextEncoder()
const decoder = new TextDecoder()

/**
 * A stage over lines; chunks may be cut anywhere. The lines of one chunk produce one chunk; blank lines are skipped. If
 * `translate` throws, the output of the lines before is sent first.
 */
export function overLines(name: string, translate: (line: string) => string, atEnd = () => {}): Stage {
  /** A line that is not complete yet. */
  const rest = new Block(lineLimit)

  const translateLines = (bytes: Uint8Array, emit: Emit) => {
    let translated = ''
    try {
      for (const line of decoder.decode(bytes).split('\n')) if (line.trim() !== '') translated += translate(line)
    } finally {
      if (translated !== '') emit(encoder.encode(translated))
    }
  }

  return {
    chunk(bytes, emit) {
      // Search only the new bytes for the line end, so that a long line in small pieces is not searched repeatedly.
      const end = bytes.lastIndexOf(lineEnd) + 1
      if (rest.size + bytes.length > lineLimit) {
        throw new GatewayError('protocol', `${name} sent a line that has no end.`)
      }
      rest.add(bytes.subarray(0, end || bytes.length))
      if (end === 0) return
      const lines = rest.take()
      rest.add(bytes.subarray(end))
      translateLines(lines, emit)
    },
    end(emit) {
      // The last line may lack its line end, as an answer that is one plain object does.
      translateLines(rest.take(), emit)
      atEnd()
    },
  }
}
