import type { Said } from './odd-streams.ts'

/** What a client makes of a stream; throws where the client does. */
export type Parser = (stream: string) => Promise<Read> | Read

export interface Read extends Said {
  readonly usage: unknown
}

/** The `data` of each event as a WHATWG reader sees it, up to `[DONE]`. */
export function* dataOf(stream: string): Generator<string> {
  for (const event of stream.split(/(?:\r\n|\r|\n){2}/)) {
    const lines = event.split(/\r\n|\r|\n/).filter((line) => line.startsWith('data:'))
    if (lines.length === 0) continue
    const data = lines.map((line) => line.slice(5).replace(/^ /, '')).join('\n')
    if (data === '[DONE]') return
    yield data
  }
}
