import type { IncomingMessage } from 'node:http'
import { Block } from '../wire/block.ts'
import { GatewayError } from '../wire/errors.ts'
import { tooLarge } from './body-limit.ts'

/** Reads a request's body. Rejects with a 413 as soon as more than `limit` bytes have arrived. */
export function readIncoming(incoming: IncomingMessage, limit: number): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const told = Number(incoming.headers['content-length'])
    const body = new Block(limit, told)
    const refuse = () => {
      incoming.off('data', take)
      // Read and drop the rest: closing at once would reset the connection and lose the error response.
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
    // Either the connection broke, or the server reports what is wrong with the request.
    incoming.once('error', (error) => (error instanceof GatewayError ? reject(error) : leave()))
    incoming.once('close', () => {
      if (!incoming.complete) leave()
    })
  })
}
