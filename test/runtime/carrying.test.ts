import { describe, expect, it, vi } from 'vitest'
import { registry } from '../../providers/index.ts'
import { assemble } from '../../src/assemble.ts'
import type { Config } from '../../src/config/schema.ts'
import { fetchEdge } from '../../src/runtime/fetch-edge.ts'
import { createFetchTransport } from '../../src/runtime/fetch-transport.ts'
import { chat, eventsOf, expectBrokenOff, until, wordsOf } from '../support/ask.ts'
import { ManualClock } from '../support/gateway.ts'
import { turns } from '../support/sinks.ts'
import { chatFrames, chunk } from '../support/upstream.ts'

const encoder = new TextEncoder()
const [role = '', ...rest] = chatFrames('Hel', 'lo')
const whole = [role, ...rest].join('')
const done = 'data: [DONE]\n\n'

interface Upstream {
  say(text: string | Uint8Array): void
  end(): void
  reset(): void
  /** Why it was told to stop, once it was. */
  readonly stopped: unknown
}

/** A gateway as on Workers, with an upstream that a test plays, and a chat that has its first words. */
async function streaming(config: Config = {}) {
  const clock = new ManualClock()
  let source: ReadableStreamDefaultController<Uint8Array> | undefined
  let stopped: unknown
  const send = (async (_url, init) => {
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        source = controller
        init?.signal?.addEventListener('abort', () => {
          stopped ??= init.signal?.reason
          controller.error(init.signal?.reason)
        })
      },
      cancel(reason) {
        stopped ??= reason ?? 'cancelled'
      },
    })
    return new Response(body, { headers: { 'content-type': 'text/event-stream' } })
  }) as typeof fetch
  const { app } = assemble<object>({
    config: {
      providers: { up: { type: 'openai-compatible', baseURL: 'http://up.test/v1' } },
      retries: 0,
      streams: 'observed',
      ...config,
    },
    registry,
    env: {},
    edge: fetchEdge,
    withoutKeys: { mode: 'open' },
    services: {
      transport: createFetchTransport(send),
      clock,
      random: () => 0.5,
      fetch: async () => Response.json({ data: [] }),
      asset: () => Promise.reject(new Error('no assets')),
      log: () => {},
    },
  })
  const upstream: Upstream = {
    say: (text) => source?.enqueue(typeof text === 'string' ? encoder.encode(text) : text),
    end: () => source?.close(),
    reset: () => source?.error(new TypeError('terminated')),
    get stopped() {
      return stopped
    },
  }
  const request = new Request('http://gateway.test/v1/chat/completions', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(chat('up/m', { stream: true })),
  })
  const pending = Promise.resolve(app.fetch(request))
  await until(() => source !== undefined)
  return { clock, upstream, pending }
}

/** Reads a body to its end; what came before a break counts. */
async function textOf(response: Response): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  try {
    for await (const bytes of response.body ?? []) text += decoder.decode(bytes, { stream: true })
  } catch {
    return `${text}<broken>`
  }
  return text
}

/** What a client gets of `text`, of which the first words come before the rest is carried. */
async function carried(text: string, end: 'end' | 'reset', config?: Config): Promise<string> {
  const { upstream, pending } = await streaming(config)
  const opening = role + rest[0]
  upstream.say(opening)
  const reading = textOf(await pending)
  await turns()
  if (text.length > opening.length) upstream.say(text.slice(opening.length))
  upstream[end]()
  return await reading
}

describe('A stream that the runtime carries', () => {
  it('comes as it is, from its first byte to its last', async () => {
    expect(await carried(whole, 'end')).toBe(whole)
  })

  it('gets the [DONE] and the blank line that its upstream forgot', async () => {
    expect(await carried(whole.replace(done, ''), 'end')).toBe(whole)
    expect(await carried(whole.trimEnd(), 'end')).toBe(`${whole.trimEnd()}\n\n`)
  })

  it('that ends wherever it likes ends with one error event', async () => {
    const opening = (role + rest[0]).length
    const finish = whole.indexOf('"finish_reason":"stop"')
    for (let length = opening; length <= finish; length += 7) {
      const text = await carried(whole.slice(0, length), 'end')
      expect(text.startsWith(whole.slice(0, length))).toBe(true)
      const said = eventsOf(text).map(({ data }) => JSON.parse(data) as { error?: { code: string } })
      expect(said.filter(({ error }) => error)).toEqual([said.at(-1)])
      expect(said.at(-1)?.error?.code).toBe('upstream_stream_truncated')
    }
  })

  it('may tell its finish, or its usage, in an event of any size', async () => {
    const call = { tool_calls: [{ index: 0, function: { arguments: 'x'.repeat(200_000) } }] }
    const usage = `data: {"choices":[],"usage":{"total_tokens":1,"note":"${'x'.repeat(200_000)}"}}\n\n`
    const text = role + rest[0] + chunk(call, 'tool_calls') + usage + done
    expect(await carried(text, 'end')).toBe(text)
    expect(await carried(text.replace(done, ''), 'end')).toBe(text)
  })

  it('tells a break inside an event of any size in that event', async () => {
    const half = chunk({ content: 'x'.repeat(100_000) }).slice(0, 90_000)
    const said = eventsOf(await carried(role + rest[0] + half, 'end')).map(({ data }) => JSON.parse(data) as object)
    expect(said.at(-1)).toMatchObject({ error: { code: 'upstream_stream_truncated' } })
  })

  it('that is longer than is looked at goes on to its end, whatever that is', async () => {
    const text = role + rest[0] + chunk({ content: 'x'.repeat(60_000) }).repeat(100)
    expect(await carried(text, 'end')).toBe(text)
    expect(await carried(text + rest.slice(1).join(''), 'end')).toBe(text + rest.slice(1).join(''))
  })

  it('that says [DONE] without a finish is told to be broken all the same', async () => {
    const text = await carried(role + rest[0] + done, 'end')
    expect(text).toContain('upstream_stream_truncated')
  })

  it('in which the upstream tells an error goes out in its words, and gets no second error', async () => {
    const told = 'data: {"error":"CUDA ran out","error_type":"server_error"}\n\n'
    expect(await carried(role + rest[0] + told, 'end')).toBe(role + rest[0] + told)
  })

  it('that falls silent ends with a timeout, and its upstream is stopped', async () => {
    const { clock, upstream, pending } = await streaming({ idleTimeout: 20 })
    upstream.say(role + rest[0])
    const reading = textOf(await pending)
    await clock.advance(15_000)
    upstream.say(chunk({ content: ' still here' }))
    await turns()
    await clock.advance(15_000)
    expect(upstream.stopped).toBeUndefined()
    await clock.advance(15_000)
    const text = await reading
    expect(text).toContain(' still here')
    expect(expectBrokenOff(text).code).toBe('upstream_timeout')
    expect(upstream.stopped).toBeDefined()
    expect(clock.waiting).toBe(0)
  })

  it('that brings nothing but empty deltas ends with a timeout too', async () => {
    const { clock, upstream, pending } = await streaming({ idleTimeout: 20 })
    upstream.say(role + rest[0])
    const reading = textOf(await pending)
    for (let time = 0; time < 8 && !upstream.stopped; time++) {
      upstream.say(chunk({ content: '' }))
      await turns()
      await clock.advance(5_000)
    }
    expect(expectBrokenOff(await reading).code).toBe('upstream_timeout')
    expect(upstream.stopped).toBeDefined()
  })

  it('isn’t looked at for every chunk', async () => {
    const { clock, upstream, pending } = await streaming()
    upstream.say(role + rest[0])
    const reading = textOf(await pending)
    await clock.advance(1_000)
    const timers = vi.spyOn(clock, 'after')
    for (let at = 0; at < 100; at++) {
      upstream.say(chunk({ content: 'x' }))
      await turns()
    }
    // A look waits for the next one.
    expect(timers.mock.calls.length).toBeLessThanOrEqual(1)
    upstream.say(rest.slice(1).join(''))
    upstream.end()
    expect(wordsOf(await reading)).toBe(`Hel${'x'.repeat(100)}lo`)
    expect(clock.waiting).toBe(0)
  })

  it('is carried also behind the comments that broke the silence before it', async () => {
    const { clock, upstream, pending } = await streaming({ keepAlive: 1 })
    await clock.advance(2_500)
    const reading = textOf(await pending)
    upstream.say(role + rest[0])
    const told = 'data: {"error":"CUDA ran out"}\n\n'
    await turns()
    upstream.say(told)
    upstream.end()
    const text = await reading
    expect(text.startsWith(': keep-alive\n\n: keep-alive\n\n')).toBe(true)
    expect(text.endsWith(role + rest[0] + told)).toBe(true)
    expect(clock.waiting).toBe(0)
  })

  it('stops its upstream when the client leaves', async () => {
    const { clock, upstream, pending } = await streaming()
    upstream.say(role + rest[0])
    const reader = (await pending).body?.getReader()
    await reader?.read()
    await reader?.cancel('left')
    while (upstream.stopped === undefined) await clock.advance(100)
    expect(clock.waiting).toBe(0)
  })
})

describe('A stream that is to be checked', () => {
  it('is not carried: an error that the upstream tells comes in the envelope', async () => {
    const told = 'data: {"error":"CUDA ran out"}\n\n'
    const text = await carried(role + rest[0] + told, 'end', { streams: 'checked' })
    expect(expectBrokenOff(text).message).toContain('CUDA ran out')
  })
})

describe('A stream that is to stay untouched', () => {
  const config: Config = { streams: 'untouched', idleTimeout: 1 }

  it('comes as it is, also when its end is missing', async () => {
    expect(await carried(whole, 'end', config)).toBe(whole)
    expect(await carried(whole.slice(0, -30), 'end', config)).toBe(whole.slice(0, -30))
    expect(await carried(whole.slice(0, -30), 'reset', config)).toMatch(/<broken>$/)
  })

  it('is a failure all the same when it opens with an error', async () => {
    const { upstream, pending } = await streaming(config)
    upstream.say('data: {"error":{"message":"model not found","code":"model_not_found"}}\n\n')
    expect((await pending).headers.get('content-type')).toBe('application/json')
    expect(upstream.stopped).toBeDefined()
  })

  it('has all the time that it likes', async () => {
    const { clock, upstream, pending } = await streaming(config)
    upstream.say(role + rest[0])
    const reading = textOf(await pending)
    expect(clock.waiting).toBe(0)
    await clock.advance(60_000)
    upstream.say(rest.slice(1).join(''))
    upstream.end()
    expect(eventsOf(await reading)).toEqual(eventsOf(whole))
  })

  it('stops its upstream when the client leaves', async () => {
    const { upstream, pending } = await streaming(config)
    upstream.say(role + rest[0])
    await (await pending).body?.cancel('left')
    expect(upstream.stopped).toBeDefined()
  })
})

describe('A client that reads nothing', () => {
  const word = chunk({ content: 'x'.repeat(30_000) })

  it('of a checked stream is let go after a minute, and its upstream with it', async () => {
    const { clock, upstream, pending } = await streaming({ streams: 'checked' })
    upstream.say(role + rest[0])
    const reader = (await pending).body?.getReader()
    for (let at = 0; at < 10; at++) upstream.say(word)
    await turns(20)
    await clock.advance(59_000)
    expect(upstream.stopped).toBeUndefined()
    await clock.advance(2_000)
    expect(upstream.stopped).toBeDefined()
    await turns()
    expect(clock.waiting).toBe(0)
    await expect(readOn(reader)).rejects.toThrow()
  })

  it('of a carried stream is let go when its upstream has long been done', async () => {
    const { clock, upstream, pending } = await streaming({ writeTimeout: 10 })
    upstream.say(role + rest[0])
    const reader = (await pending).body?.getReader()
    for (let at = 0; at < 10; at++) upstream.say(word)
    upstream.say(rest.slice(1).join(''))
    upstream.end()
    await turns(20)
    await clock.advance(9_000)
    await clock.advance(60_000)
    await expect(readOn(reader)).rejects.toThrow()
    await until(() => clock.waiting === 0)
  })
})

async function readOn(reader: ReadableStreamDefaultReader<Uint8Array> | undefined): Promise<void> {
  while (!(await reader?.read())?.done);
}
