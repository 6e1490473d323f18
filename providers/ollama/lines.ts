import type { Emit, Stage } from '../../src/core/stream.ts'
import { Block } from '../../src/wire/block.ts'
import { GatewayError } from '../../src/wire/errors.ts'

/** Bytes of one line; a longer one is no token but an attack on the memory. */
const lineLimit = 16 * 1024 * 1024
const lineEnd = 10
const encoder = new TextEncoder()
const decoder = new TextDecoder()

/**
 * A stage over lines, from bytes cut anywhere. What `translate` makes of the lines in one piece leaves as one piece;
 * blank lines are skipped. When `translate` throws, what the lines before it became is sent first.
 */
export function overLines(translate: (line: string) => string, atEnd: () => void): Stage {
  /** The beginning of a line whose end is still to come. */
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
      // Only what is new can hold the end of the line: a long one in small pieces isn't searched again and again.
      const end = bytes.lastIndexOf(lineEnd) + 1
      if (rest.size + bytes.length > lineLimit) {
        throw new GatewayError('protocol', 'Ollama sent a line that has no end.')
      }
      rest.add(bytes.subarray(0, end || bytes.length))
      if (end === 0) return
      const lines = rest.take()
      rest.add(bytes.subarray(end))
      translateLines(lines, emit)
    },
    end(emit) {
      // The last line may lack its end: an answer that is one plain object does.
      translateLines(rest.take(), emit)
      atEnd()
    },
  }
}
