import type { IncomingMessage } from 'node:http'
import { Pump } from '../core/pump.ts'
import type { Rest } from '../core/transport.ts'
import { Block } from '../wire/block.ts'
import { GatewayError } from '../wire/errors.ts'
import { limited, tooLarge } from './body-limit.ts'
import { unpacked } from './node-decoding.ts'
import { noteUpload } from './node-memory.ts'

/** What is wrong with requests whose body nobody reads yet: the code for some routes is loaded first. */
const faults = new WeakMap<IncomingMessage, GatewayError>()

/** Reports what is wrong with a request's body to the code that reads it. */
export function report(incoming: IncomingMessage, fault: GatewayError): void {
  faults.set(incoming, fault)
  if (incoming.listenerCount('error') > 0) incoming.emit('error', fault)
}

/** Why a body can't be read any more; undefined while it may still come. */
function lostBody(incoming: IncomingMessage): GatewayError | undefined {
  const isGone = incoming.destroyed && !incoming.complete
  return faults.get(incoming) ?? (isGone ? new GatewayError('gone', 'The client left.') : undefined)
}

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
    const lost = lostBody(incoming)
    if (lost) return reject(lost)
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

/** A request's body as it arrives. Fails with a 413 as soon as more than `limit` bytes have arrived. */
export function openIncoming(incoming: IncomingMessage, limit: number, encoding?: string): Rest {
  const { 'content-length': told, 'transfer-encoding': coding } = incoming.headers
  const take = (chunk: Uint8Array) => {
    noteUpload(chunk.length)
    pump.push(chunk)
  }
  const leave = () => pump.break(new GatewayError('gone', 'The client left.'))
  const pump = new Pump({
    start() {
      const lost = lostBody(incoming)
      if (lost) return pump.break(lost)
      incoming.on('data', take)
      incoming.once('end', () => pump.finish())
      incoming.once('error', (error) => (error instanceof GatewayError ? pump.break(error) : leave()))
      incoming.once('close', () => {
        if (!incoming.complete) leave()
      })
    },
    pause: () => incoming.pause(),
    resume: () => incoming.resume(),
    cancel() {
      incoming.off('data', take)
      // Read and drop the rest: many clients read no answer before they have sent all.
      incoming.resume()
    },
  })
  if (encoding !== undefined) return limited({ source: unpacked(pump, encoding) }, limit)
  return limited({ source: pump, length: coding === undefined ? Number(told ?? 0) : undefined }, limit)
}
