import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import type { Fetch } from '../../src/runtime/node-listener.ts'
import { createNodeServer } from '../../src/runtime/node-server.ts'

let server: Server
afterEach(() => {
  server.close()
  server.closeAllConnections()
})

async function serve(fetch: Fetch): Promise<string> {
  server = createNodeServer(fetch, Math.random)
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const broken = new Response('x')
Object.defineProperty(broken, 'arrayBuffer', { value: () => Promise.reject(new Error('no body')) })

describe('A failure that nobody else has caught', () => {
  it.each<[string, Fetch]>([
    [
      'is thrown',
      () => {
        throw 'text'
      },
    ],
    ['is a rejection', () => Promise.reject('text')],
    ['comes while the answer is written', () => broken],
  ])('is a 500 in the envelope, and the next request works: one that %s', async (_how, fail) => {
    const url = await serve((request, ...rest) =>
      request.url.endsWith('/bad') ? fail(request, ...rest) : new Response('good'),
    )
    const reply = await fetch(`${url}/bad`)
    expect(reply.status).toBe(500)
    expect(await reply.json()).toMatchObject({ error: { type: 'server_error', code: 'internal_error' } })
    expect(await (await fetch(`${url}/good`)).text()).toBe('good')
  })

  it('ends the connection of an answer that has begun', async () => {
    const url = await serve((_request, { outgoing }) => {
      outgoing.writeHead(200).write('half')
      return Promise.reject(new Error('late'))
    })
    await expect(fetch(url).then((reply) => reply.text())).rejects.toThrow()
  })
})
