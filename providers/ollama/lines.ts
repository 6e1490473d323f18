import type { Emit, Stage } from '../../src/core/stream.ts'
import { GatewayError } from '../../src/wire/errors.ts'

/** Characters of one line; a longer one is no token but an attack on the memory. */
const lineLimit = 16 * 1024 * 1024
const encoder = new TextEncoder()

/**
 * A stage over lines, from bytes cut anywhere. What `translate` makes of the lines in one piece leaves as one piece;
 * blank lines are skipped. When `translate` throws, what the lines before it became is sent first.
 */
export function overLines(translate: (line: string) => string, atEnd: () => void): Stage {
  const decoder = new TextDecoder()
  let rest = ''

  const feed = (text: string, emit: Emit) => {
    // Only what is new can hold the end of the line: a long one in small pieces isn't searched again and again.
    if (!text.includes('\n')) {
      rest += text
      if (rest.length > lineLimit) throw new GatewayError('protocol', 'Ollama sent a line that has no end.')
      return
    }
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    let translated = ''
    try {
      for (const line of lines) if (line.trim() !== '') translated += translate(line)
    } finally {
      if (translated !== '') emit(encoder.encode(translated))
    }
  }

  return {
    chunk: (bytes, emit) => feed(decoder.decode(bytes, { stream: true }), emit),
    end(emit) {
      // The last line may lack its end: an answer that is one plain object does.
      feed(`${decoder.decode()}\n`, emit)
      atEnd()
    },
  }
}
