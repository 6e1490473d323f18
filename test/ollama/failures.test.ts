import { describe, expect, it } from 'vitest'
import { runtimes, serveBoth } from '../support/both.ts'
import { askOllama, linesOf } from '../support/ollama.ts'
import { chatAnswer, chatFrames, chunk, json, silence, stream } from '../support/upstream.ts'

const { upstream, both } = serveBoth('ollama-failures', (url) => ({
  providers: {
    up: { type: 'openai-compatible', baseURL: url },
    local: { type: 'ollama', baseURL: url },
  },
  models: { slow: { deployments: ['up/m'], timeout: 0.2 } },
  retries: 0,
  cooldown: false,
}))

const lineOf = (content: string) =>
  `{"model":"m","created_at":"2026-11-23T02:58:27.6Z","message":{"role":"assistant","content":"${content}"},"done":false}\n`

describe.each(runtimes)('On %s, a failure in Ollama’s API', (runtime) => {
  const ask = (body: unknown, path = '/api/chat') => askOllama(both, runtime, path, body)
  const asked = (more: object = {}) => ({ model: 'up/m', messages: [{ role: 'user', content: 'hi' }], ...more })

  async function refusal(body: unknown, path?: string): Promise<[number, string]> {
    const reply = await ask(body, path)
    expect(reply.type).toBe('application/json')
    const told = JSON.parse(reply.text) as { error: string }
    expect(Object.keys(told)).toEqual(['error'])
    return [reply.status, told.error]
  }

  it.each(['/api/chat', '/api/generate', '/api/embed', '/api/show'])('names a missing model at %s', async (path) => {
    const body = { ...asked({ model: 'nope' }), prompt: 'hi', input: 'hi' }
    expect(await refusal(body, path)).toEqual([404, "model 'nope' not found"])
  })

  it.each(['/api/chat', '/api/generate', '/api/embed', '/api/show'])('asks for a model at %s', async (path) => {
    expect(await refusal({ messages: [], prompt: 'hi', input: 'hi' }, path)).toEqual([400, 'model is required'])
  })

  it.each([
    [{ messages: 'hi' }, /cannot unmarshal string into Go struct field ChatRequest.messages of type \[\]api.Message/],
    [{ messages: ['hi'] }, /ChatRequest.messages/],
    [
      { messages: [{ role: 'user', content: [] }] },
      /cannot unmarshal array .* ChatRequest.messages.content of type string/,
    ],
    [{ stream: 'yes' }, /ChatRequest.stream of type bool/],
    [{ tools: {} }, /ChatRequest.tools/],
    [{ options: 'hot' }, /ChatRequest.options/],
    [{ options: { temperature: 'hot' } }, /^option "temperature" must be of type float32$/],
    [{ options: { stop: 'a' } }, /^option "stop" must be of type array$/],
    [{ options: { stop: [1] } }, /^option "stop" must be of an array of strings$/],
    [{ format: 'yaml' }, /^invalid format: "\\"yaml\\""; expected "json" or a valid JSON Schema object$/],
    [{ format: 5 }, /^invalid format: "5"; expected "json"/],
    [{ think: 'much' }, /^invalid think value: "much" \(must be "high", "medium", "low", "max", true, or false\)$/],
    [{ top_logprobs: 21 }, /^top_logprobs must be between 0 and 20$/],
    [{ messages: [{ role: 'user', content: 'x', images: ['https://a/b.png'] }] }, /image/],
    [{ messages: [{ role: 'user', content: 'x', images: [7] }] }, /image/],
  ])('is told for a bad request: %j', async (more, words) => {
    const [status, error] = await refusal(asked(more))
    expect(status).toBe(400)
    expect(error).toMatch(words)
  })

  it.each(['', '{"model":', '[]', '"hi"', '\u0000'])('is told for what is no request: %j', async (body) => {
    expect((await refusal(body))[0]).toBe(400)
    expect((await refusal(body, '/api/show'))[0]).toBe(400)
  })

  it.each([
    ['{"model":', 'the request body is not valid JSON'],
    ['[]', 'the request body is not a JSON object'],
  ])('says of %j only what is wrong with it', async (body, words) => {
    expect(await refusal(body)).toEqual([400, words])
  })

  it.each([
    [{ think: 'low' }, 'reasoning_effort', 'think'],
    [{ format: { type: 'object' } }, 'response_format', 'format'],
    [{ options: { num_predict: 9 } }, 'max_tokens', 'num_predict'],
  ])('that is about a value of %j has its name in Ollama’s API', async (more, theirs, own) => {
    const words = (name: string) => `Invalid value for '${name}'.`
    upstream.script(json(400, { error: { message: words(theirs), type: 'invalid_request_error', param: theirs } }))
    expect(await refusal(asked(more))).toEqual([400, words(own)])
    expect(await refusal({ model: 'up/m', prompt: 'hi', ...more }, '/api/generate')).toEqual([400, words(own)])
  })

  it.each([{ input: 7 }, { input: [7] }, { input: [['a']] }, { input: { a: 1 } }])(
    'is told for %j to embed',
    async (body) => {
      expect(await refusal({ model: 'up/m', ...body }, '/api/embed')).toEqual([400, 'invalid input type'])
    },
  )

  it('has the words and the status of the upstream’s', async () => {
    upstream.script(json(429, { error: { message: 'Slow down.', type: 'requests', code: 'rate_limit_exceeded' } }))
    expect(await refusal(asked())).toEqual([429, 'Slow down.'])
    upstream.script(silence)
    expect((await refusal(asked({ model: 'slow' })))[0]).toBe(504)
  })

  it('is told to who has no key', async () => {
    const reply = await askOllama(both, runtime, '/api/tags', undefined, { headers: { authorization: 'Bearer no' } })
    expect([reply.status, JSON.parse(reply.text)]).toEqual([401, { error: expect.stringContaining('API key') }])
  })

  it('is one for arguments of a call that are no object, but a cut call is left out of a cut answer', async () => {
    const call = { id: 'c', type: 'function', function: { name: 'f', arguments: '{"a":' } }
    const saying = (finish: string) => ({
      ...chatAnswer(''),
      choices: [{ index: 0, message: { role: 'assistant', content: 'x', tool_calls: [call] }, finish_reason: finish }],
    })
    upstream.script(json(200, saying('length')))
    const cut = JSON.parse((await ask(asked({ stream: false }))).text) as object
    expect(cut).toMatchObject({ message: { role: 'assistant', content: 'x' }, done_reason: 'length' })
    expect(cut).not.toHaveProperty('message.tool_calls')
    upstream.script(
      stream([
        chunk({ role: 'assistant', tool_calls: [{ index: 0, ...call }] }),
        chunk({}, 'tool_calls'),
        'data: [DONE]\n\n',
      ]),
    )
    const lines = linesOf((await ask(asked())).text)
    expect(lines).toEqual([{ error: expect.stringContaining("'f'") }])
  })

  it('about a later call leaves the calls before it', async () => {
    const call = (index: number, name: string, args: string) =>
      chunk({ tool_calls: [{ index, id: name, type: 'function', function: { name, arguments: args } }] })
    upstream.script(
      stream([call(0, 'f', '{"a":1}'), call(1, 'g', '{"a":'), chunk({}, 'tool_calls'), 'data: [DONE]\n\n']),
    )
    expect(linesOf((await ask(asked())).text)).toMatchObject([
      { message: { tool_calls: [{ function: { name: 'f', arguments: { a: 1 } } }] }, done: false },
      { error: expect.stringContaining("'g'") },
    ])
  })

  it.each([
    ['ends too early', 'end'],
    ['breaks', 'reset'],
  ] as const)('is the last line of a stream that %s, over a chat', async (_how, after) => {
    upstream.script(stream(chatFrames('Hel', 'lo').slice(0, 3), after))
    const reply = await ask(asked())
    const lines = linesOf(reply.text)
    expect(reply.status).toBe(200)
    expect(lines.map((line) => Object.keys(line).includes('error'))).toEqual([false, false, true])
    expect(lines.at(-1)).toEqual({ error: expect.any(String) })
    expect(lines.some(({ done }) => done)).toBe(false)
  })

  it('is the last line of a stream in which the upstream tells it', async () => {
    const told = `data: ${JSON.stringify({ error: { message: 'CUDA out of luck', type: 'server_error' } })}\n\n`
    upstream.script(stream([...chatFrames('Hel').slice(0, 2), told]))
    const lines = linesOf((await ask(asked())).text)
    expect(lines).toMatchObject([
      { message: { content: 'Hel' } },
      { error: expect.stringContaining('CUDA out of luck') },
    ])
  })

  it.each([
    ['ends too early', [lineOf('Hel'), lineOf('lo')], 'end'],
    ['breaks', [lineOf('Hel'), lineOf('lo')], 'reset'],
    ['tells it', [lineOf('Hel'), lineOf('lo'), '{"error":"model runner has stopped"}\n'], 'end'],
    ['says something else', [lineOf('Hel'), lineOf('lo'), 'what?\n'], 'end'],
  ] as const)('is the last line of a stream that %s, of an Ollama', async (how, pieces, after) => {
    upstream.script(stream(pieces, after, 'application/x-ndjson'))
    const { text } = await ask(asked({ model: 'local/m' }))
    expect(text.startsWith(lineOf('Hel') + lineOf('lo'))).toBe(true)
    const lines = linesOf(text)
    expect(lines).toHaveLength(3)
    expect(lines[2]).toEqual({
      error: how === 'tells it' ? expect.stringContaining('runner has stopped') : expect.any(String),
    })
  })

  it.each([
    ['the connection breaks', [], 'reset'],
    ['the upstream tells an error', ['{"error":"model runner has stopped"}\n'], 'end'],
  ] as const)('is none if all lines of an Ollama have come before %s', async (_how, more, after) => {
    const pieces = [lineOf('Hello'), lineOf('').replace('"done":false', '"done":true,"done_reason":"stop"')]
    upstream.script(stream([...pieces, ...more], after, 'application/x-ndjson'))
    expect((await ask(asked({ model: 'local/m' }))).text).toBe(pieces.join(''))
  })

  it('before the first line is an answer of its own, of an Ollama too', async () => {
    upstream.script(stream(['{"error":"model runner has stopped"}\n'], 'end', 'application/x-ndjson'))
    const [status, error] = await refusal(asked({ model: 'local/m' }))
    expect([status, error]).toEqual([502, expect.stringContaining('runner has stopped')])
  })

  it.each([
    ['POST', '/api/create'],
    ['POST', '/api/copy'],
    ['POST', '/api/push'],
    ['DELETE', '/api/delete'],
    ['POST', '/api/blobs/sha256:abc'],
  ])('is what %s %s comes to', async (method, path) => {
    const reply = await askOllama(both, runtime, path, { model: 'x' }, { method })
    expect([reply.status, JSON.parse(reply.text)]).toEqual([
      400,
      { error: expect.stringContaining('is not supported') },
    ])
  })

  it('is told in a wrong place too', async () => {
    expect((await askOllama(both, runtime, '/api/nope')).status).toBe(404)
    expect((await askOllama(both, runtime, '/api/chat')).status).toBe(405)
  })
})
