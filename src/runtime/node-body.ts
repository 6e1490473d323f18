import type { IncomingMessage } from 'node:http'
import { concat } from '../core/stream.ts'
import { GatewayError } from '../wire/errors.ts'
import { tooLarge } from './body-limit.ts'

/** Reads a request's body. Rejects with a 413 as soon as more than `limit` bytes have come. */
export function readIncoming(incoming: IncomingMessage, limit: number): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const told = Number(incoming.headers['content-length'])
    const body = new BodyCollector(told <= limit ? told : undefined)
    const refuse = () => {
      incoming.off('data', take)
      // What is still on its way is read and dropped: closing at once would cut the refusal off with a reset.
      incoming.resume()
      reject(tooLarge(limit))
    }
    const take = (chunk: Uint8Array) => {
      body.add(chunk)
      if (body.size > limit) refuse()
    }
    if (told > limit) return refuse()
    incoming.on('data', take)
    incoming.once('end', () => resolve(body.whole()))
    const leave = () => reject(new GatewayError('gone', 'The client left.'))
    // Either its connection broke, or the server says what is wrong with it.
    incoming.once('error', (error) => (error instanceof GatewayError ? reject(error) : leave()))
    incoming.once('close', () => {
      if (!incoming.complete) leave()
    })
  })
}

/** Puts a body together. One whose length was told goes straight to its place: a large one is never there twice. */
class BodyCollector {
  size = 0
  readonly #chunks: Uint8Array[] = []
  readonly #told: number | undefined
  #place: Uint8Array | undefined

  constructor(told: number | undefined) {
    this.#told = told
  }

  add(chunk: Uint8Array): void {
    const at = this.size
    this.size += chunk.length
    // Most bodies are one chunk.
    if (this.#told === undefined || chunk.length === this.#told) this.#chunks.push(chunk)
    else {
      this.#place ??= new Uint8Array(this.#told)
      this.#place.set(chunk, at)
    }
  }

  whole(): Uint8Array {
    return this.#place ?? concat(this.#chunks, this.size)
  }
}
