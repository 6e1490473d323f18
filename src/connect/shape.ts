import type { ByteSource } from '../core/stream.ts'

/** What a body is by its first bytes. `nothing`: it ends without any. */
export type Shape = 'events' | 'json' | 'page' | 'other' | 'nothing'

/** How an event stream may begin: its fields, and a comment. */
const openings = ['data:', 'event:', 'id:', 'retry:', ':']

/** Looks at the first bytes of a body, only until they tell what it is, and leaves all of it to be read. */
export function peekShape(source: ByteSource): Promise<Shape> {
  return new Promise((resolve, reject) => {
    const reader = new ShapeReader()
    source.peek({
      chunk(bytes) {
        const shape = reader.read(bytes)
        if (shape) resolve(shape)
        return shape !== undefined
      },
      end: () => resolve(reader.empty ? 'nothing' : 'other'),
      fail(error) {
        // Also what the looker didn't read: a runtime may hold a second branch of the body.
        source.cancel(error)
        reject(error)
      },
    })
  })
}

/** Tells the shape of a body as soon as its first bytes, blanks apart, fit only one. */
export class ShapeReader {
  #start = ''

  get empty(): boolean {
    return this.#start === ''
  }

  read(bytes: Uint8Array): Shape | undefined {
    for (const byte of bytes) {
      if (this.#start === '' && isBlank(byte)) continue
      this.#start += String.fromCharCode(byte)
      const shape = shapeOf(this.#start)
      if (shape) return shape
    }
    return undefined
  }
}

/** White space, and the bytes of a byte order mark. */
function isBlank(byte: number): boolean {
  return byte === 32 || (byte >= 9 && byte <= 13) || byte === 0xef || byte === 0xbb || byte === 0xbf
}

function shapeOf(start: string): Shape | undefined {
  if (start === '{' || start === '[') return 'json'
  if (start === '<') return 'page'
  if (openings.includes(start)) return 'events'
  return openings.some((opening) => opening.startsWith(start)) ? undefined : 'other'
}
