import { createHash } from 'node:crypto'
import type { Config } from '../../../src/config/schema.ts'
import { systemClock } from '../../../src/core/clock.ts'
import { createCacheHost } from '../../../src/node/cache.ts'
import { noLists, seeded, wordsOf } from '../../support/ask.ts'
import { meaningOf, type Variant, variantOf } from '../../support/chat-variants.ts'
import { startGateway } from '../../support/gateway.ts'
import { unrepeating } from '../../support/unrepeating.ts'
import { fakeUpstream, type Script } from '../../support/upstream.ts'

export interface Proof {
  readonly requests: number
  readonly calls: number
  /** How the cache said it answered them. */
  readonly results: Readonly<Record<string, number>>
  /** Answers that tell of an error, or that broke off. */
  readonly failures: number
  /** What should never be, in words. */
  readonly wrong: readonly string[]
}

const tenants = ['anna', 'bert', 'cora']

/** What an answer says of the request that its upstream got. */
const marks = (text: string) => {
  const { user } = JSON.parse(text) as { user: string }
  return `of ${user} about ${digestOf(text)}.`
}
const digestOf = (text: string) => createHash('sha256').update(meaningOf(text)).digest('hex').slice(0, 16)

/** A model that never answers the same twice, and fails now and then: at once, or in the middle of a stream. */
function moody(random: () => number): Script {
  const well = unrepeating(({ body }) => marks(body))
  return async (seen, response, socket) => {
    const mood = random()
    // Some take longer, so that others ask meanwhile.
    for (let turns = Math.floor(random() * 60); turns > 0; turns--) await new Promise((turn) => setImmediate(turn))
    if (mood < 0.04) {
      response.writeHead(500, { 'content-type': 'application/json' }).end('{"error":{"message":"no"}}')
      return
    }
    if (mood < 0.08 && JSON.parse(seen.body).stream) {
      const opening = { id: 'x', object: 'chat.completion.chunk', created: 1, model: 'm' }
      const choices = [{ index: 0, delta: { role: 'assistant', content: 'broken' }, finish_reason: null }]
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write(`data: ${JSON.stringify({ ...opening, choices })}\n\n`, () => socket.resetAndDestroy())
      return
    }
    await well(seen, response, socket)
  }
}

export async function provenRandomly(requests: number, seed: number, atOnce = 32): Promise<Proof> {
  const random = seeded(seed)
  const upstream = await fakeUpstream(moody(random))
  const config: Config = {
    providers: { lab: { type: 'openai-compatible', baseURL: upstream.url } },
    keys: tenants.map((name) => `env:${name.toUpperCase()}`),
    cache: { ttl: 3600 },
    retries: 0,
    cooldown: false,
  }
  const env = Object.fromEntries(tenants.map((name) => [name.toUpperCase(), `sk-${name}-secret`]))
  const host = createCacheHost({ clock: systemClock, log() {} })
  const gateway = await startGateway(config, { env, services: noLists, cacheHost: async () => host })
  const results: Record<string, number> = {}
  const wrong: string[] = []
  /** Texts that a call has answered, each of which a hit may repeat. */
  const given = new Set<string>()
  let failures = 0
  let left = requests

  async function once(variant: Variant): Promise<void> {
    const response = await fetch(`${gateway.baseURL}/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer sk-${variant.tenant}-secret` },
      body: variant.text,
    })
    const text = await response.text()
    const result = response.headers.get('x-samewire-cache') ?? 'none'
    results[result] = (results[result] ?? 0) + 1
    const isFailure = response.status !== 200 || text.includes('"error"')
    if (isFailure) {
      failures++
      if (result === 'hit') wrong.push(`a failure was kept: ${text.slice(0, 100)}`)
      return
    }
    const said = variant.streams ? wordsOf(text) : JSON.parse(text).choices[0].message.content
    if (!said.endsWith(marks(variant.text))) wrong.push(`${variant.tenant} got "${said}" for ${variant.text}`)
    if (variant.streams && !text.endsWith('data: [DONE]\n\n')) wrong.push(`a stream ends with ${text.slice(-50)}`)
    if (variant.usage !== text.includes('"total_tokens"') && variant.streams) wrong.push(`usage in ${text.slice(-200)}`)
    if (result === 'miss') given.add(said)
    else if (result === 'hit' && !given.has(said)) wrong.push(`nobody was told "${said}" before`)
  }

  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      while (left-- > 0) await once(variantOf(random, tenants))
    }),
  )
  await gateway.close()
  await upstream.close()
  return { requests, calls: upstream.seen.length, results, failures, wrong }
}

/** Fifty who ask at once, and how many calls and different answers that made. */
export async function provenTogether(streams: boolean): Promise<{ readonly calls: number; readonly answers: number }> {
  const told = Promise.withResolvers<void>()
  const well = unrepeating()
  const upstream = await fakeUpstream(async (seen, response, socket) => {
    await told.promise
    await well(seen, response, socket)
  })
  const config: Config = {
    providers: { lab: { type: 'openai-compatible', baseURL: upstream.url } },
    cache: { ttl: 3600 },
  }
  const gateway = await startGateway(config, { services: noLists })
  const body = JSON.stringify({ model: 'lab/m', stream: streams, messages: [{ role: 'user', content: 'hi' }] })
  const replies = Array.from({ length: 50 }, async () => {
    const response = await fetch(`${gateway.baseURL}/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    })
    return await response.text()
  })
  while (upstream.seen.length === 0) await new Promise((turn) => setImmediate(turn))
  told.resolve()
  const texts = new Set(await Promise.all(replies))
  await gateway.close()
  await upstream.close()
  return { calls: upstream.seen.length, answers: texts.size }
}
