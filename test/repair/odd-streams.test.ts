import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { eventsOf } from '../support/ask.ts'
import { type Both, runtimes, startBoth } from '../support/both.ts'
import { failingStreams, oddStreams, soundStreams } from '../support/odd-streams.ts'
import { clients, readers } from '../support/parsers.ts'
import { type FakeUpstream, fakeUpstream } from '../support/upstream.ts'
import { usually } from '../support/usually.ts'

const parsers = { ...clients, ...readers }
const [plain] = soundStreams as [(typeof soundStreams)[number]]
/** The plain stream without its usage. */
const mute = { ...plain, text: plain.text.replace(/data: [^\n]*"usage"[^\n]*\n\n/, '') }
const streams = [...oddStreams, ...soundStreams, ...failingStreams, mute]
/** All that pass bytes, each as it is without any setting but its address. */
const kinds = [
  'openai',
  'groq',
  'mistral',
  'deepseek',
  'together',
  'fireworks',
  'openrouter',
  'vllm',
  'lmstudio',
  'llamacpp',
  'huggingface',
]

let upstream: FakeUpstream
let both: Both

beforeAll(async () => {
  // The model's name says which stream is asked for.
  upstream = await fakeUpstream((request, response) => {
    const found = request.method === 'POST' ? /"model":\s*"m(\d+)"/.exec(request.body) : null
    const stream = streams[Number(found?.[1] ?? -1)]
    if (!stream) response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ data: listed }))
    else response.writeHead(200, { 'content-type': 'text/event-stream' }).end(stream.text)
  })
  const baseURL = `${upstream.url}/v1`
  const others = kinds.map((type) => [type, { type, baseURL, apiKey: 'env:LAB_KEY' }])
  const providers = { lab: { type: 'openai-compatible', baseURL }, ...Object.fromEntries(others) }
  both = await startBoth('odd-streams', { providers }, { LAB_KEY: 'k' })
})

afterAll(async () => {
  await both.close()
  await upstream.close()
})

const listed = streams.map((_, at) => ({ id: `m${at}`, object: 'model', created: 1, owned_by: 'lab' }))

const ask = (runtime: (typeof runtimes)[number], stream: (typeof streams)[number], provider = 'lab') =>
  both.ask(runtime, {
    model: `${provider}/m${streams.indexOf(stream)}`,
    messages: [{ role: 'user', content: 'hi' }],
    stream: true,
    stream_options: { include_usage: true },
  })

const usage = { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 }

describe.each(runtimes)('A plain compatible server on %s', (runtime) => {
  it.each(oddStreams)('is read by every client in spite of $what', async (stream) => {
    const { text, status } = await ask(runtime, stream)
    expect(status, text).toBe(200)
    for (const [client, parse] of Object.entries(parsers)) {
      expect(await parse(text), `${client}: ${text}`).toEqual({ ...stream.says, usage })
    }
    expect(text.match(/"finish_reason":"/g), text).toHaveLength(1)
    expect(text).not.toMatch(/\r(?!\n)/)
  })

  it.each(soundStreams)('passes byte for byte with $what', async (stream) => {
    const { text } = await ask(runtime, stream)
    expect(text).toBe(stream.text)
    for (const parse of Object.values(parsers)) expect(await parse(text)).toEqual({ ...stream.says, usage })
  })

  it.each(failingStreams)('is known by every client to have failed where it sends $what', async (stream) => {
    const { text } = await ask(runtime, stream)
    expect(text).toMatch(
      stream.text.includes('boom') ? /data: \{"error":\{"message":"[^"]*boom/ : /upstream_stream_truncated/,
    )
    expect(text).not.toContain('[DONE]')
    for (const [client, parse] of Object.entries(parsers)) {
      const reading = Promise.resolve(text).then(parse)
      await expect(reading, `${client}: ${text}`).rejects.toBeDefined()
    }
  })

  it('tells that it tells no usage where that was asked for', async () => {
    const { text } = await ask(runtime, mute)
    const events = eventsOf(text).map(({ data }) => data)
    const told = eventsOf(mute.text).map(({ data }) => data)
    expect([...events.slice(0, -2), ...events.slice(-1)]).toEqual(told)
    const { id, object, created, model } = JSON.parse(told[0] as string)
    expect(JSON.parse(events.at(-2) as string)).toEqual({ id, object, created, model, choices: [], usage: null })
    for (const [client, parse] of Object.entries(parsers)) {
      expect(await parse(text), `${client}: ${text}`).toMatchObject(mute.says)
    }
  })

  it.each(kinds)('is read as well where it is called %s', async (kind) => {
    const strict = readers['a strict schema']
    const own = oddStreams.filter((_, at) => at % kinds.length === kinds.indexOf(kind))
    for (const stream of usually(own, oddStreams)) {
      const { text } = await ask(runtime, stream, kind)
      expect(await strict?.(text), `${stream.what}: ${text}`).toEqual({ ...stream.says, usage })
    }
  })
})

describe('Without a gateway', () => {
  // The clients print what they can't parse.
  beforeEach(() => {
    for (const method of ['error', 'warn', 'log'] as const) vi.spyOn(console, method).mockImplementation(() => {})
  })
  afterEach(() => {
    vi.restoreAllMocks()
  })

  it.each(Object.keys(parsers))('many of these streams are misread by %s', async (client) => {
    const failing: string[] = []
    for (const stream of oddStreams) {
      // Its error escapes every promise there, which ends the program.
      const isFatal = client === 'openai 4' && stream.what === 'no index'
      const same =
        !isFatal &&
        (await Promise.resolve()
          .then(() => parsers[client]?.(stream.text))
          .then((said) => JSON.stringify({ ...said, usage }) === JSON.stringify({ ...stream.says, usage }))
          .catch(() => false))
      if (!same) failing.push(stream.what)
    }
    expect(failing.length).toBeGreaterThan(15)
  })
})
