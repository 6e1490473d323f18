import { afterEach, describe, expect, it } from 'vitest'
import { ask, chat, errorOf, type Reply } from '../support/ask.ts'
import { serveNode } from '../support/gateway.ts'
import { type Hostile, refused, served } from '../support/hostile.ts'
import { chatAnswer, json } from '../support/upstream.ts'

const size = 1_000_000
/** Milliseconds of CPU a MB, of the client, the gateway and the upstream together, on a slow machine whose host has other work. */
const bound = 250

const completion = {
  id: 'cmpl-x',
  object: 'text_completion',
  choices: [{ index: 0, text: 'x', finish_reason: 'stop' }],
}

const { upstream, gateway } = serveNode(
  (url) => ({
    providers: { lab: { type: 'openai-compatible', baseURL: url } },
    models: { passed: 'lab/m', tuned: { deployments: [{ model: 'lab/m', params: { top_k: 5 } }] } },
  }),
  {
    script: (seen, ...rest) =>
      json(200, seen.path.endsWith('/chat/completions') ? chatAnswer('x') : completion)(seen, ...rest),
  },
)

// Whatever a client sends, the next one is served.
afterEach(async () => {
  expect((await ask(gateway, chat('passed'))).status).toBe(200)
  expect(gateway.logged).toEqual([])
  upstream.seen.length = 0
})

interface Timed extends Reply {
  readonly ms: number
}

/** The reply, and the CPU that this thread has taken for all of it. */
async function post(body: Uint8Array): Promise<Timed> {
  const before = process.cpuUsage()
  const response = await fetch(`${gateway.baseURL}/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: body as Uint8Array<ArrayBuffer>,
  })
  const text = await response.text()
  const { user, system } = process.cpuUsage(before)
  return { status: response.status, headers: response.headers, text, ms: (user + system) / 1000 }
}

/** The reply to a request that is sent again if it took longer than `most`: what else the machine does is not the gateway's. */
async function within(most: number, body: Uint8Array, times = 2): Promise<Timed> {
  const reply = await post(body)
  return reply.ms < most || times === 1 ? reply : await within(most, body, times - 1)
}

const named = (kinds: readonly Hostile[]) => kinds.map((kind) => [kind.what, kind] as const)

describe('A body that would hold the gateway, or is none, is refused at once', () => {
  it.each(named(refused))('%s', async (_, { make, refused: why }) => {
    const reply = await within(bound, make('passed', size))
    expect(reply.status).toBe(400)
    expect(errorOf(reply)).toMatchObject({ type: 'invalid_request_error', message: expect.stringMatching(why ?? '') })
    expect(upstream.seen).toEqual([])
    expect(reply.ms).toBeLessThan(bound)
  })
})

describe('A body that is large and odd is served in time', () => {
  it.each(named(served))('%s', async (_, { make }) => {
    for (const model of ['passed', 'tuned']) {
      const reply = await within(bound, make(model, size))
      expect(reply.status).toBe(200)
      expect(reply.ms).toBeLessThan(bound)
    }
    const [passed, tuned] = [upstream.seen[0], upstream.seen.at(-1)]
    // Compared here: the runner would look for what differs in a megabyte.
    const text = Buffer.from(make('passed', size)).toString()
    expect(passed?.body === text.replace('"passed"', '"m"')).toBe(true)
    expect(tuned?.body.includes('"top_k":5')).toBe(true)
  })
})

describe('A body under 16 KB is answered in time, whatever it is made of', () => {
  it.each(named([...refused, ...served]))('%s', async (_, { make }) => {
    const reply = await within(10, make('passed', 15_000), 10)
    if (reply.status !== 200) expect(errorOf(reply).type).toBe('invalid_request_error')
    expect([200, 400]).toContain(reply.status)
    expect(reply.ms).toBeLessThan(10)
  })
})

describe('What honest clients send is not taken for hostile', () => {
  const user = { role: 'user', content: 'hi' }
  const property = (at: number) => ({ type: 'string', description: `The property number ${at}`, enum: ['a', 'b', 'c'] })
  const tool = (at: number) => ({
    type: 'function',
    function: {
      name: `tool_${at}`,
      description: 'Does one thing, and does it well.',
      parameters: {
        type: 'object',
        properties: Object.fromEntries(Array.from({ length: 12 }, (_, of) => [`property_${of}`, property(of)])),
        required: ['property_1'],
      },
    },
  })
  const turn = (at: number) => [
    { role: 'user', content: `Question ${at}: what is next?` },
    {
      role: 'assistant',
      content: null,
      tool_calls: [{ id: `call_${at}`, type: 'function', function: { name: 'tool_1', arguments: `{"at":${at}}` } }],
    },
    { role: 'tool', tool_call_id: `call_${at}`, content: 'It is so.' },
  ]
  const image = { type: 'image_url', image_url: { url: `data:image/png;base64,${'iVBORw0KGgo'.repeat(20_000)}` } }

  it.each<[string, object]>([
    ['128 tools', { tools: Array.from({ length: 128 }, (_, at) => tool(at)) }],
    [
      'a dialogue of 4,500 messages with calls',
      { messages: Array.from({ length: 1_500 }, (_, at) => turn(at)).flat() },
    ],
    ['40 images', { messages: [{ role: 'user', content: Array(40).fill(image) }] }],
    [
      'a bias for 20,000 tokens',
      { logit_bias: Object.fromEntries(Array.from({ length: 20_000 }, (_, at) => [at, -1])) },
    ],
    ['100 embeddings as lists', { vectors: Array(100).fill(Array.from({ length: 1_536 }, (_, at) => at / 1_537)) }],
    ['a long document', { messages: [{ role: 'user', content: 'It was a dark and stormy night.\n'.repeat(100_000) }] }],
  ])('%s', async (_, more) => {
    const body = { model: 'passed', messages: [user], ...more }
    expect((await ask(gateway, body)).status).toBe(200)
    expect(upstream.seen[0]?.body === JSON.stringify({ ...body, model: 'm' })).toBe(true)
  })

  it('a prompt of 300,000 tokens', async () => {
    const prompt = Array.from({ length: 300_000 }, (_, at) => (at * 7919) % 100_000)
    expect((await ask(gateway, { model: 'passed', prompt }, { path: '/completions' })).status).toBe(200)
  })
})
