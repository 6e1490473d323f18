import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { Abort } from '../../src/core/signal.ts'
import { createNodeTransport } from '../../src/runtime/node-transport.ts'

/** Answers the first request of each connection, and has the others fail. */
let failing: (response: ServerResponse) => void
let requests = 0
let now = 0
const used = new WeakSet()
const server = createServer((request, response) => {
  requests++
  request.resume()
  if (used.has(request.socket)) return failing(response)
  used.add(request.socket)
  response.end('ok')
})
const transport = createNodeTransport(() => now)

beforeEach(async () => {
  requests = 0
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready))
})
afterEach(async () => {
  server.closeAllConnections()
  await new Promise((closed) => server.close(closed))
})

async function ask(isPaid = false): Promise<number> {
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  const request = {
    ...{ name: 'up', method: 'POST', url, headers: {}, body: [new Uint8Array(10)], connectTimeout: 1_000 },
    isPaid,
  }
  const { status, body } = await transport(request, new Abort())
  await new Promise<void>((end, fail) => body.pipe({ chunk() {}, end, fail }))
  // From then on the connection is free for the next one.
  await new Promise((turn) => setImmediate(turn))
  return status
}

it('a request is sent once more where the connection that was kept turns out to be closed', async () => {
  failing = (response) => void response.socket?.resetAndDestroy()
  expect([await ask(), await ask(), requests]).toEqual([200, 200, 3])
})

it('a request that an upstream may have worked on is not sent once more, where nobody could charge it', async () => {
  failing = (response) => {
    now += 501
    response.socket?.resetAndDestroy()
  }
  expect(await ask()).toBe(200)
  await expect(ask()).rejects.toMatchObject({ kind: 'network' })
  expect(requests).toBe(2)
})

it('a request that a budget pays for is not sent once more without a word, and the next one has a new connection', async () => {
  failing = (response) => void response.socket?.resetAndDestroy()
  expect(await ask(true)).toBe(200)
  await expect(ask(true)).rejects.toMatchObject({ kind: 'network' })
  expect([await ask(true), requests]).toEqual([200, 3])
})
