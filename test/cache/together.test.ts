import { describe, expect, it } from 'vitest'
import { Flight } from '../../src/cache/flight.ts'
import type { Answer } from '../../src/core/answer.ts'
import { systemClock } from '../../src/core/clock.ts'
import { Pump } from '../../src/core/pump.ts'
import { Abort } from '../../src/core/signal.ts'
import type { ByteSource } from '../../src/core/stream.ts'
import { ask, chat, noLists, open, type Reply, until } from '../support/ask.ts'
import { countingHost } from '../support/counting-host.ts'
import { gatewayStarter, serveUpstreams } from '../support/gateway.ts'
import { unrepeating } from '../support/unrepeating.ts'
import { chatFrames, json, type Script } from '../support/upstream.ts'

const { lab } = serveUpstreams({ lab: unrepeating() })
const start = gatewayStarter()

async function gatewayWith(cache: object = { ttl: 60 }) {
  const providers = { lab: { type: 'openai-compatible', baseURL: lab.url } }
  const { cacheHost, arrived } = countingHost()
  const config = { providers, cache, retries: 0, cooldown: false } as never
  return { ...(await start(config, { services: noLists, cacheHost })), arrived }
}

const result = (reply: { readonly headers: Headers }) => reply.headers.get('x-samewire-cache')
const streamed = chat('lab/m', { stream: true })

/** A script that sends some of a stream, and the rest once it is told to. */
function inTwo(first: readonly string[], rest: readonly string[], how: 'end' | 'reset' = 'end') {
  const begun = Promise.withResolvers<void>()
  const told = Promise.withResolvers<void>()
  const script: Script = async (_, response, socket) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    for (const piece of first) response.write(piece)
    begun.resolve()
    await told.promise
    for (const piece of rest) response.write(piece)
    if (how === 'end') response.end()
    else socket.resetAndDestroy()
  }
  return { script, begun: begun.promise, goOn: told.resolve }
}

/** A script that waits until so many have asked the gateway, as far as a test can know, and then runs another. */
function held(script: Script) {
  const told = Promise.withResolvers<void>()
  return {
    goOn: told.resolve,
    script: (async (request, response, socket) => {
      await told.promise
      await script(request, response, socket)
    }) satisfies Script,
  }
}

/** Resolves once the gateway has asked its upstream so often. */
async function asked(times: number): Promise<void> {
  await until(() => lab.seen.length >= times)
}

/** Resolves once the gateway has taken whatever was on its way to it. */
async function settled(): Promise<void> {
  for (let turns = 0; turns < 200; turns++) await new Promise((turn) => setImmediate(turn))
}

describe('Fifty who ask the same at once', () => {
  it.each([
    ['whole answer', chat('lab/m')],
    ['stream', streamed],
  ])('get the same %s of one call', async (_, body) => {
    const { script, goOn } = held(unrepeating())
    lab.script(script)
    const gateway = await gatewayWith()
    const replies = Array.from({ length: 50 }, () => ask(gateway, body))
    await gateway.arrived(50)
    goOn()
    const all = await Promise.all(replies)
    expect(new Set(all.map(({ text }) => text)).size).toBe(1)
    expect(all[0]?.text).toContain('answe')
    expect(lab.seen).toHaveLength(1)
    expect(all.filter((reply) => result(reply) === 'miss')).toHaveLength(1)
    expect(all.filter((reply) => result(reply) === 'shared')).toHaveLength(49)
    for (const reply of all) expect(reply.headers.get('x-samewire-model')).toBe('lab/m')
  })
})

describe('A stream that several get', () => {
  it('goes on for the others when the one leaves who asked first', async () => {
    const frames = chatFrames('one', 'two', 'three')
    const { script, begun, goOn } = inTwo(frames.slice(0, 3), frames.slice(3))
    lab.script(script)
    const gateway = await gatewayWith()
    const leaving = new AbortController()
    const first = await open(gateway, streamed, { signal: leaving.signal })
    await begun
    const second = await open(gateway, streamed)
    expect([result(first), result(second)]).toEqual(['miss', 'shared'])
    leaving.abort()
    await settled()
    goOn()
    expect(await second.text()).toBe(frames.join(''))
    const third = await ask(gateway, streamed)
    expect([result(third), third.text]).toEqual(['hit', frames.join('')])
    expect(lab.seen).toHaveLength(1)
  })

  it('ends at its upstream when the last one has left', async () => {
    const { script, begun } = inTwo(chatFrames('one').slice(0, 2), [])
    lab.script(script)
    const gateway = await gatewayWith()
    const leaving = new AbortController()
    const both = [
      await open(gateway, streamed, { signal: leaving.signal }),
      await open(gateway, streamed, { signal: leaving.signal }),
    ]
    await begun
    expect(both.map(result)).toEqual(['miss', 'shared'])
    leaving.abort()
    await lab.seen[0]?.abandoned
    lab.script(unrepeating())
    expect(result(await ask(gateway, streamed))).toBe('miss')
  })

  it('breaks for all of them once it has begun, and with an error that tells so', async () => {
    const { script, begun, goOn } = inTwo(chatFrames('one').slice(0, 2), [], 'reset')
    lab.script(script)
    const gateway = await gatewayWith()
    const replies = [await open(gateway, streamed)]
    await begun
    replies.push(await open(gateway, streamed))
    goOn()
    const [one, other] = await Promise.all(replies.map((reply) => reply.text()))
    expect(one).toContain('"error"')
    expect(other).toBe(one)
    expect(lab.seen).toHaveLength(1)
  })

  it('is joined by nobody any more when it is longer than what is kept', async () => {
    const frames = chatFrames('a'.repeat(1_000), 'b')
    const { script, begun, goOn } = inTwo(frames.slice(0, 2), frames.slice(2))
    lab.script(script, unrepeating())
    const gateway = await gatewayWith({ ttl: 60, maxEntryBytes: 500 })
    const first = await open(gateway, streamed)
    await begun
    const second = await ask(gateway, streamed)
    expect(result(second)).toBe('miss')
    goOn()
    expect(await first.text()).toBe(frames.join(''))
  })

  it('is not for those who want none but their own', async () => {
    const frames = chatFrames('one')
    const { script, begun, goOn } = inTwo(frames.slice(0, 2), frames.slice(2))
    lab.script(script, unrepeating())
    const gateway = await gatewayWith()
    const first = await open(gateway, streamed)
    await begun
    const second = await ask(gateway, streamed, { headers: { 'cache-control': 'no-cache' } })
    expect(result(second)).toBe('miss')
    expect(second.text).not.toContain('one')
    goOn()
    await first.text()
  })
})

describe('A failure before the first content', () => {
  it('is told to the one who asked first; the others ask once more, together', async () => {
    const { script, goOn } = held(json(500, { error: { message: 'no' } }))
    lab.script(script, unrepeating())
    const gateway = await gatewayWith()
    const replies: Promise<Reply>[] = [ask(gateway, chat('lab/m'))]
    await asked(1)
    for (let n = 0; n < 5; n++) replies.push(ask(gateway, chat('lab/m')))
    await gateway.arrived(6)
    goOn()
    const [first, ...others] = await Promise.all(replies)
    expect(first?.status).toBe(502)
    expect(others.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200])
    expect(new Set(others.map(({ text }) => text)).size).toBe(1)
    expect(lab.seen).toHaveLength(2)
  })

  it('is told to all when the second try fails as well', async () => {
    const { script, goOn } = held(json(500, { error: { message: 'no' } }))
    lab.script(script, json(500, { error: { message: 'no' } }))
    const gateway = await gatewayWith()
    const replies: Promise<Reply>[] = [ask(gateway, chat('lab/m'))]
    await asked(1)
    for (let n = 0; n < 5; n++) replies.push(ask(gateway, chat('lab/m')))
    await gateway.arrived(6)
    goOn()
    expect((await Promise.all(replies)).map(({ status }) => status)).toEqual([502, 502, 502, 502, 502, 502])
    expect(lab.seen).toHaveLength(2)
  })
})

describe('Readers of one stream', () => {
  const bytes = (size: number) => new Uint8Array(size)
  const client = () => new Abort()

  function flightOf(bound: number) {
    const asked: string[] = []
    const pump = new Pump({
      pause: () => asked.push('pause'),
      resume: () => asked.push('resume'),
      cancel: () => asked.push('cancel'),
    })
    const answer: Answer = { status: 200, headers: {}, body: { source: pump, steps: [] } }
    const kept: (Uint8Array | undefined)[] = []
    const over = (ended: { readonly whole: Uint8Array } | undefined) => void kept.push(ended?.whole)
    const flight = new Flight({ clock: systemClock, bound, ask: async () => answer, over })
    return { flight, pump, asked, kept }
  }

  const sourceIn = ({ body }: Answer): ByteSource => {
    if (!('source' in body)) throw new Error('it is a stream')
    return body.source
  }

  function reading(answer: Answer) {
    const got = { size: 0, ending: undefined as unknown }
    const source = sourceIn(answer)
    source.pipe({
      chunk: ({ length }) => {
        got.size += length
      },
      end: () => {
        got.ending = 'end'
      },
      fail: (error) => {
        got.ending = error
      },
    })
    return { got, source }
  }

  it('have the upstream wait only when the fastest of them does', async () => {
    const { flight, pump, asked } = flightOf(1_000_000)
    const slow = reading(await flight.join(client()))
    const fast = reading(await flight.join(client()))
    slow.source.pause()
    pump.push(bytes(70_000))
    expect(asked).toEqual([])
    fast.source.pause()
    pump.push(bytes(70_000))
    expect(asked).toEqual(['pause'])
    fast.source.resume()
    expect(asked).toEqual(['pause', 'resume'])
    expect([slow.got.size, fast.got.size]).toEqual([0, 140_000])
    slow.source.resume()
    expect(slow.got.size).toBe(140_000)
  })

  it('part with one that is too far behind', async () => {
    const { flight, pump, kept } = flightOf(100_000)
    const slow = reading(await flight.join(client()))
    const fast = reading(await flight.join(client()))
    slow.source.pause()
    for (let n = 0; n < 5; n++) pump.push(bytes(30_000))
    slow.source.resume()
    pump.finish()
    expect([fast.got.size, fast.got.ending]).toEqual([150_000, 'end'])
    expect(slow.got.ending).toMatchObject({ kind: 'gone' })
    expect(kept).toEqual([undefined])
  })

  it('lose nothing where only one of them is there, however slow', async () => {
    const { flight, pump, asked } = flightOf(100_000)
    const only = reading(await flight.join(client()))
    only.source.pause()
    pump.push(bytes(300_000))
    expect(asked).toEqual(['pause'])
    only.source.resume()
    pump.finish()
    expect([only.got.size, only.got.ending]).toEqual([300_000, 'end'])
  })
})
