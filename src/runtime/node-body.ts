import type { IncomingMessage } from 'node:http'
import { Block } from '../wire/block.ts'
import { GatewayError } from '../wire/errors.ts'
import { tooLarge } from './body-limit.ts'

/** Reads a request's body. Rejects with a 413 as soon as more than `limit` bytes have come. */
export function readIncoming(incoming: IncomingMessage, limit: number): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const told = Number(incoming.headers['content-length'])
    const body = new Block(limit, told)
    const refuse = () => {
      incoming.off('data', take)
      // What is still on its way is read and dropped: closing at once would cut the refusal off with a reset.
      incoming.resume()
      reject(tooLarge(limit))
    }
    const take = (chunk: Uint8Array) => {
      if (body.size + chunk.length > limit) refuse()
      else body.add(chunk)
    }
    if (told > limit) return refuse()
    incoming.on('data', take)
    incoming.once('end', () => resolve(body.take()))
    const leave = () => reject(new GatewayError('gone', 'The client left.'))
    // Either its connection broke, or the server says what is wrong with it.
    incoming.once('error', (error) => (error instanceof GatewayError ? reject(error) : leave()))
    incoming.once('close', () => {
      if (!incoming.complete) leave()
    })
  })
}
