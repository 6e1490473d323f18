import { beforeEach, describe, expect, it } from 'vitest'
import type { Config } from '../../src/config/schema.ts'
import { chat, errorOf, wordsOf } from '../support/ask.ts'
import { runtimes, serveBoth } from '../support/both.ts'
import { chatAnswer, chatFrames, chunk, json, type Script, stream, tokenLogprobs } from '../support/upstream.ts'

const configOf = (url: string): Config => ({
  providers: {
    lab: { type: 'openai-compatible', baseURL: url },
    vllm: { type: 'vllm', baseURL: url },
    llamacpp: { type: 'llamacpp', baseURL: url },
    ollama: { type: 'ollama', baseURL: url },
    v1: { type: 'ollama', api: 'openai', baseURL: url },
    able: { type: 'openai-compatible', baseURL: `${url}/able` },
  },
  retries: 0,
  models: {
    'relieved-*': { deployments: ['lab/*'], fallbacks: ['able/y'] },
    lenient: { deployments: ['lab/lenient'], dropParams: ['logprobs'] },
  },
})

const { upstream, both } = serveBoth('ignored-logprobs', configOf)

const line = (more: object) =>
  `${JSON.stringify({ model: 'x', created_at: '2026-01-01T00:00:00Z', done: false, ...more })}\n`
const said = { message: { role: 'assistant', content: 'Hello' } }
const last = { message: { role: 'assistant', content: '' }, done: true, done_reason: 'stop' }

/** A server that knows no log probabilities, in all formats, and one at `/able` that does. */
const answering: Script = (request, ...rest) => {
  const streams = JSON.parse(request.body).stream === true
  const native = [line(said), line(said), line(last)]
  const script = request.path.startsWith('/able')
    ? streams
      ? stream(withLogprobs)
      : json(200, chatAnswer('able', 'y', tokenLogprobs('able')))
    : request.path === '/api/chat'
      ? streams
        ? stream(native, 'end', 'application/x-ndjson')
        : json(200, { ...JSON.parse(line(said)), done: true })
      : streams
        ? stream(chatFrames('Hel', 'lo'))
        : json(200, chatAnswer('Hello'))
  return script(request, ...rest)
}

const withToken = (frame: string) =>
  frame.replace('"finish_reason":null', `"logprobs":${JSON.stringify(tokenLogprobs('x'))},"finish_reason":null`)
const withLogprobs = chatFrames('Hel', 'lo').map(withToken)

const asked = { logprobs: true, top_logprobs: 2 }
const tools = [{ type: 'function', function: { name: 'f', parameters: { type: 'object' } } }]
const call = { id: 'call_a', type: 'function', function: { name: 'f', arguments: '{}' } }

describe.each(runtimes)('Log probabilities that a server ignores, on %s,', (runtime) => {
  beforeEach(() => {
    upstream.seen.length = 0
    upstream.script(answering)
  })

  it.each(
    ['lab/x', 'vllm/x', 'llamacpp/x', 'ollama/x', 'v1/x'].flatMap((model) => [
      [model, false],
      [model, true],
    ]),
  )('are refused by name: %s, stream: %s', async (model, streams) => {
    const reply = await both.ask(runtime, chat(model as string, { ...asked, stream: streams }))
    expect([reply.status, errorOf(reply).code, errorOf(reply).param]).toEqual([
      400,
      'unsupported_parameter',
      'logprobs',
    ])
    expect(upstream.seen.filter(({ method }) => method === 'POST')).toHaveLength(1)
  })

  it.each([false, true])('come from another deployment, the next time from the start (stream: %s)', async (streams) => {
    const model = `relieved-${runtime}-${streams}`
    const body = chat(model, { ...asked, stream: streams })
    for (const paths of [['/chat/completions', '/able/chat/completions'], ['/able/chat/completions']]) {
      upstream.seen.length = 0
      const reply = await both.ask(runtime, body)
      expect([reply.status, reply.headers.get('x-samewire-model')]).toEqual([200, 'able/y'])
      expect(upstream.seen.map(({ path }) => path)).toEqual(paths)
    }
    upstream.seen.length = 0
    expect((await both.ask(runtime, chat(model))).headers.get('x-samewire-model')).toBe(`lab/${runtime}-${streams}`)
  })

  it.each([false, true])(
    'may be missing where the configuration says so, and the answer tells (stream: %s)',
    async (streams) => {
      const reply = await both.ask(runtime, chat('lenient', { ...asked, stream: streams }))
      expect([reply.status, reply.headers.get('x-samewire-dropped')]).toEqual([200, 'logprobs'])
      expect(reply.text).toContain('lo')
    },
  )

  it('are refused on the legacy route as well', async () => {
    const answer = {
      id: 'cmpl-1',
      object: 'text_completion',
      created: 1,
      model: 'x',
      choices: [{ index: 0, text: 'Hello', logprobs: null, finish_reason: 'stop' }],
    }
    upstream.script(json(200, answer))
    const reply = await both.ask(runtime, { model: 'lab/x', prompt: 'hi', logprobs: 2 }, '/completions')
    expect([reply.status, errorOf(reply).param]).toEqual([400, 'logprobs'])
  })

  it.each<[string, object]>([
    ['a call', { content: null, tool_calls: [call] }],
    ['an empty text', { content: '' }],
  ])('are not missed in an answer of nothing but %s', async (_what, message) => {
    const finish = 'tool_calls' in message ? 'tool_calls' : 'stop'
    const choice = { index: 0, message: { role: 'assistant', refusal: null, ...message }, logprobs: null }
    upstream.script(json(200, { ...chatAnswer(''), choices: [{ ...choice, finish_reason: finish }] }))
    expect((await both.ask(runtime, chat('lab/x', { ...asked, tools }))).status).toBe(200)
    const frames = [
      chunk({ role: 'assistant', content: '' }),
      ...('tool_calls' in message ? [chunk({ tool_calls: [{ index: 0, ...call }] })] : []),
      chunk({}, finish),
      'data: [DONE]\n\n',
    ]
    upstream.script(stream(frames))
    expect((await both.ask(runtime, chat('lab/x', { ...asked, tools, stream: true }))).text).toBe(frames.join(''))
  })

  it('are not missed in a stream that begins with reasoning, or whose first piece of text has none', async () => {
    const [role = '', hel = '', ...rest] = chatFrames('Hel', 'lo')
    const reasoning = [role, chunk({ reasoning_content: 'Hm.' }), ...withLogprobs.slice(1)]
    for (const frames of [reasoning, [role, hel, ...rest.map(withToken)]]) {
      upstream.script(stream(frames))
      expect((await both.ask(runtime, chat('lab/x', { ...asked, stream: true }))).text).toBe(frames.join(''))
    }
  })

  it('are missed in a stream of one piece', async () => {
    upstream.script(stream([chunk({ role: 'assistant', content: 'Hello' }), chunk({}, 'stop'), 'data: [DONE]\n\n']))
    const reply = await both.ask(runtime, chat('lab/x', { ...asked, stream: true }))
    expect([reply.status, errorOf(reply).param]).toEqual([400, 'logprobs'])
  })

  it('hold nothing back where nobody asks for them', async () => {
    expect(wordsOf((await both.ask(runtime, chat('lab/x', { stream: true, logprobs: false }))).text)).toBe('Hello')
  })
})
