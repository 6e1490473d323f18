import { env, waitUntil } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import type { Config } from '../../src/config/schema.ts'
import { CacheApiAnswers, cacheApiHost } from '../../src/runtime/cache-api.ts'
import { keepsAnswers } from '../support/answers-contract.ts'
import { exchangePath } from '../support/exchange.ts'
import { edgeGateway } from './edge-gateway.ts'

let opened = 0

async function openCache(): Promise<Cache> {
  opened++
  return await caches.open(`answers-${opened}`)
}

keepsAnswers("a Worker's cache", async () => {
  const cache = await openCache()
  let now = 1_700_000_000_000
  const clock = { now: () => now }
  return {
    answers: new CacheApiAnswers({ cache, clock, defer: waitUntil }),
    now: clock.now,
    async pass(ms) {
      now += ms
    },
  }
})

const demo = { providers: { demo: { type: 'embedded' } }, retries: 0 }

async function gatewayWith(config: Config) {
  const cache = await openCache()
  const clock = { now: () => Date.now() }
  const writing: Promise<unknown>[] = []
  const defer = (work: Promise<unknown>) => {
    writing.push(work)
    waitUntil(work)
  }
  const cacheHost = async () => cacheApiHost({ cache, clock, defer })
  const { send } = edgeGateway({ ...demo, ...config }, {}, { mode: 'open' }, cacheHost)
  return async (body: object, headers: Record<string, string> = {}) => {
    const response = await send('/v1/chat/completions', {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ model: 'demo/tiny-chat', messages: [{ role: 'user', content: 'hi' }], ...body }),
    })
    const text = await response.text()
    // The end of a stream is seen shortly after it was sent.
    for (let turns = 0; turns < 20; turns++) await new Promise((turn) => setTimeout(turn))
    await Promise.all(writing)
    return { response, text }
  }
}

const result = ({ response }: { readonly response: Response }) => response.headers.get('x-samewire-cache')

describe('A Worker that keeps answers', () => {
  it.each([
    ['whole', {}],
    ['as a stream', { stream: true }],
  ])('answers the same again, %s', async (_, more) => {
    const ask = await gatewayWith({ cache: { ttl: 60 } })
    const first = await ask(more)
    const second = await ask(more)
    expect([result(first), result(second), second.text]).toEqual(['miss', 'hit', first.text])
  })

  it('keeps a stream that the runtime has sent by itself', async () => {
    const path = exchangePath({ answer: ['llama-server-0.7.0', 'chat_stream'], delivery: {} })
    const up = { type: 'llamacpp', baseURL: `${env.UPSTREAM}${path}/v1` }
    const ask = await gatewayWith({ providers: { up }, cache: { ttl: 60 } })
    const asked = { model: 'up/tiny-chat', stream: true }
    const first = await ask(asked)
    // Its end is seen up to a quarter of a second later.
    let second = await ask(asked)
    while (result(second) !== 'hit') second = await ask(asked)
    expect(second.text).toBe(first.text)
  })

  it('answers a request that is sent again under the same key as before', async () => {
    const ask = await gatewayWith({})
    const under = { 'idempotency-key': 'k1' }
    const first = await ask({}, under)
    const second = await ask({}, under)
    expect([second.response.headers.get('idempotent-replayed'), second.text]).toEqual(['true', first.text])
  })
})
