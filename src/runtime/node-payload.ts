import { chunksOf } from '../core/sources.ts'
import type { UpstreamRequest } from '../core/transport.ts'
import { concat } from '../wire/block.ts'

/** Maximum bytes of a body in pieces that is joined, to send it in one write. */
const oneWrite = 32 * 1024

/** A body in the form that undici accepts: without a copy where it is in one piece or large. */
export function payload(pieces: UpstreamRequest['body']): Uint8Array | Pieces {
  const [first] = pieces
  if (first && pieces.length === 1) return first
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0)
  return length <= oneWrite ? concat(pieces, length) : new Pieces(joinSmall(pieces), length)
}

/** A body that is still arriving. It is sent on a connection of its own, since it can't be sent again. */
export async function* uploadOf({ body, rest }: UpstreamRequest): AsyncGenerator<Uint8Array> {
  yield* body
  if (!rest) return
  rest.begin?.()
  yield* chunksOf(rest.source)
  rest.sent?.()
}

/** A large body that undici reads piece by piece, at the speed of the socket. */
export class Pieces {
  readonly length: number
  readonly #pieces: readonly Uint8Array[]

  constructor(pieces: readonly Uint8Array[], length: number) {
    this.#pieces = pieces
    this.length = length
  }

  [Symbol.iterator](): Iterator<Uint8Array> {
    return this.#pieces[Symbol.iterator]()
  }
}

/** Maximum bytes of joined pieces; less is not worth a write of its own. */
const small = 4 * 1024

/** Joins small neighbouring pieces, so that there are fewer of them. */
function joinSmall(pieces: UpstreamRequest['body']): UpstreamRequest['body'] {
  const joined: Uint8Array[] = []
  for (const piece of pieces) {
    const last = joined.at(-1)
    if (last && last.length + piece.length <= small) joined[joined.length - 1] = concat([last, piece])
    else joined.push(piece)
  }
  return joined
}
