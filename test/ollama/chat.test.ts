import { describe, expect, it } from 'vitest'
import { runtimes, serveBoth } from '../support/both.ts'
import { askOllama, joinedLines, type Line, lastSeen, linesOf } from '../support/ollama.ts'
import { chatAnswer, chatFrames, chunk, json, stream, tokenLogprobs } from '../support/upstream.ts'

const { upstream, both } = serveBoth(
  'ollama-chat',
  (url) => ({
    providers: {
      up: { type: 'openai-compatible', baseURL: url },
      claude: { type: 'anthropic', baseURL: url, apiKey: 'env:KEY' },
      demo: { type: 'embedded' },
    },
    models: { hasty: { deployments: ['up/m'], retries: 0 } },
  }),
  { env: { KEY: 'sk-1' } },
)

const user = (content: string, more: object = {}) => ({ role: 'user', content, ...more })
const base = { model: 'up/m', messages: [user('hi')] }
const png = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ'
const isoTime = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
const weather = { type: 'function', function: { name: 'weather', parameters: { type: 'object', properties: {} } } }
const measured = {
  total_duration: expect.any(Number),
  load_duration: expect.any(Number),
  prompt_eval_duration: expect.any(Number),
  eval_duration: expect.any(Number),
}

describe.each(runtimes)('On %s, a chat in Ollama’s API', (runtime) => {
  const ask = (body: unknown, init?: RequestInit) => askOllama(both, runtime, '/api/chat', body, init)

  async function sent(more: object): Promise<Record<string, unknown>> {
    upstream.script(json(200, chatAnswer('ok')))
    const reply = await ask({ ...base, stream: false, ...more })
    expect(reply.status, reply.text).toBe(200)
    return lastSeen(upstream).body
  }

  async function whole(answer: object, more: object = {}): Promise<Line> {
    upstream.script(json(200, answer))
    const reply = await ask({ ...base, stream: false, ...more })
    expect([reply.status, reply.type]).toEqual([200, 'application/json'])
    return JSON.parse(reply.text) as Line
  }

  async function streamed(frames: readonly string[], more: object = {}): Promise<Line[]> {
    upstream.script(stream(frames))
    const reply = await ask({ ...base, ...more })
    expect([reply.status, reply.type]).toEqual([200, 'application/x-ndjson'])
    return linesOf(reply.text)
  }

  const messageSaying = (message: object, finish: string, more: object = {}) => ({
    ...chatAnswer(''),
    choices: [{ index: 0, message: { role: 'assistant', ...message }, logprobs: null, finish_reason: finish, ...more }],
  })

  it('is answered whole with Ollama’s fields', async () => {
    expect(await whole(chatAnswer('Hello!'))).toEqual({
      model: 'fake-model',
      created_at: isoTime,
      message: { role: 'assistant', content: 'Hello!' },
      done: true,
      done_reason: 'stop',
      ...measured,
      prompt_eval_count: 3,
      eval_count: 2,
    })
  })

  it('streams unless the client says no, and each word is a line that has ended', async () => {
    const usage = { prompt_tokens: 7, completion_tokens: 2, total_tokens: 9 }
    const last = `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'fake-model', choices: [], usage })}\n\n`
    const frames = chatFrames('Hel', 'lo "you"\n')
    const lines = await streamed([...frames.slice(0, -1), last, 'data: [DONE]\n\n'])
    const word = (content: string) => ({
      ...{ model: 'fake-model', created_at: isoTime, message: { role: 'assistant', content }, done: false },
    })
    expect(lines).toEqual([
      word('Hel'),
      word('lo "you"\n'),
      {
        ...{ model: 'fake-model', created_at: isoTime, message: { role: 'assistant', content: '' } },
        ...{ done: true, done_reason: 'stop', ...measured, prompt_eval_count: 7, eval_count: 2 },
      },
    ])
    expect(lastSeen(upstream).body).toMatchObject({ stream: true, stream_options: { include_usage: true } })
  })

  it('takes a request of whatever type, as curl -d sends it', async () => {
    upstream.script(json(200, chatAnswer('ok')))
    for (const type of ['application/x-www-form-urlencoded', 'text/plain;charset=UTF-8']) {
      const reply = await ask({ ...base, stream: false }, { headers: { 'content-type': type } })
      expect(reply.status).toBe(200)
    }
  })

  it('has its options under chat’s names', async () => {
    const options = { temperature: 0.5, top_p: 0.9, seed: 7, num_predict: 12, stop: ['a'], top_k: 5, min_p: 0.1 }
    const body = await sent({ options: { ...options, repeat_penalty: 1.1, presence_penalty: 0.2, num_ctx: null } })
    expect(body).toEqual({
      ...{ model: 'm', messages: [user('hi')], temperature: 0.5, top_p: 0.9, seed: 7, max_tokens: 12, stop: ['a'] },
      ...{ top_k: 5, min_p: 0.1, repetition_penalty: 1.1, presence_penalty: 0.2 },
    })
    expect(await sent({ options: { num_predict: 12.7, seed: 7.2 } })).toMatchObject({ max_tokens: 12, seed: 7 })
    expect(await sent({ options: { num_predict: -1, stop: [] } })).toEqual({ model: 'm', messages: [user('hi')] })
  })

  it('tells what no chat has', async () => {
    upstream.script(json(200, chatAnswer('ok')))
    const reply = await ask({ ...base, stream: false, keep_alive: '5m', options: { num_ctx: 4096, num_gpu: 1 } })
    expect(reply.headers.get('x-samewire-dropped')).toBe('options.num_ctx, options.num_gpu, keep_alive')
  })

  it('goes without an option that the upstream refuses, and tells that', async () => {
    const refusal = {
      error: { message: 'Unrecognized request argument supplied: top_k', type: 'invalid_request_error' },
    }
    upstream.script((request, response, socket) =>
      'top_k' in (JSON.parse(request.body) as object)
        ? json(400, refusal)(request, response, socket)
        : json(200, chatAnswer('ok'))(request, response, socket),
    )
    const reply = await ask({ ...base, stream: false, options: { top_k: 5 } })
    expect([reply.status, reply.headers.get('x-samewire-dropped')]).toEqual([200, 'top_k'])
  })

  const many = { repeat_penalty: 1.1, repeat_last_n: 64, min_p: 0.05, typical_p: 0.9, mirostat: 1, mirostat_tau: 5 }

  it('goes without all of its options that an upstream refuses one by one', async () => {
    upstream.script((request, ...rest) => {
      const sent = Object.keys(JSON.parse(request.body) as object)
      const refused = sent.find((name) => !['model', 'messages', 'temperature'].includes(name))
      const error = { message: `Unknown parameter: '${refused}'.`, type: 'invalid_request_error', param: refused }
      const answer = refused === undefined ? json(200, chatAnswer('ok')) : json(400, { error })
      return answer(request, ...rest)
    })
    const asked = { ...base, model: `up/${runtime}`, stream: false, options: { temperature: 0.5, ...many } }
    const reply = await ask(asked)
    expect([reply.status, lastSeen(upstream).body.temperature]).toEqual([200, 0.5])
    const { repeat_penalty: _, ...same } = many
    const told = reply.headers.get('x-samewire-dropped')?.split(', ')
    expect(told?.toSorted()).toEqual([...Object.keys(same), 'repetition_penalty'].toSorted())
    const before = upstream.seen.length
    expect([(await ask(asked)).status, upstream.seen.length]).toEqual([200, before + 1])
  })

  it('leaves out for Claude the options that Anthropic has not, and tells them', async () => {
    const answer = { type: 'message', role: 'assistant', content: [{ type: 'text', text: 'ok' }], usage: {} }
    upstream.script((request, ...rest) => {
      const others = Object.keys(JSON.parse(request.body) as object).filter(
        (name) => !['model', 'max_tokens', 'messages', 'top_k'].includes(name),
      )
      const error = { type: 'invalid_request_error', message: `${others[0]}: Extra inputs are not permitted` }
      const said = others.length > 0 ? json(400, { type: 'error', error }) : json(200, answer)
      return said(request, ...rest)
    })
    const before = upstream.seen.length
    const reply = await ask({ ...base, model: 'claude/claude-3-haiku', stream: false, options: { top_k: 5, ...many } })
    expect([reply.status, upstream.seen.length]).toEqual([200, before + 1])
    expect(lastSeen(upstream).body.top_k).toBe(5)
    expect(reply.headers.get('x-samewire-dropped')).toBe(
      'repetition_penalty, repeat_last_n, min_p, typical_p, mirostat, mirostat_tau',
    )
  })

  it.each([
    [true, 'medium'],
    [false, 'none'],
    ['high', 'high'],
  ])('says think: %s as a reasoning effort', async (think, effort) => {
    expect(await sent({ think })).toMatchObject({ reasoning_effort: effort })
  })

  it('says its format as a response format', async () => {
    expect(await sent({ format: 'json' })).toMatchObject({ response_format: { type: 'json_object' } })
    const schema = { type: 'object', properties: { a: { type: 'integer' } } }
    expect(await sent({ format: schema })).toMatchObject({
      response_format: { type: 'json_schema', json_schema: { name: 'answer', schema } },
    })
    expect(await sent({ format: '' })).not.toHaveProperty('response_format')
  })

  it('shows images as data URLs of the type that their bytes say', async () => {
    const { messages } = await sent({ messages: [user('what?', { images: [png] })] })
    const url = `data:image/png;base64,${png}`
    const content = [
      { type: 'text', text: 'what?' },
      { type: 'image_url', image_url: { url } },
    ]
    expect(messages).toEqual([{ role: 'user', content }])
  })

  it('joins calls and results by ids that are the same each time', async () => {
    const call = (name: string, city: string) => ({ function: { name, arguments: { city } } })
    const conversation = [
      user('Paris, Rome?'),
      { role: 'assistant', content: '', thinking: 'hm', tool_calls: [call('time', 'Paris'), call('weather', 'Rome')] },
      { role: 'tool', tool_name: 'weather', content: 'sunny', images: [png] },
      { role: 'tool', content: 'noon' },
      { role: 'tool', tool_name: 'weather', content: 'nobody asked' },
    ]
    const { messages } = await sent({ messages: conversation, tools: [{ function: weather.function }] })
    const asChat = (id: string, name: string, city: string) => ({
      ...{ id, type: 'function', function: { name, arguments: JSON.stringify({ city }) } },
    })
    expect(messages).toEqual([
      user('Paris, Rome?'),
      {
        ...{ role: 'assistant', content: null, reasoning_content: 'hm' },
        tool_calls: [asChat('call00000', 'time', 'Paris'), asChat('call00001', 'weather', 'Rome')],
      },
      { role: 'tool', tool_call_id: 'call00001', content: 'sunny' },
      { role: 'tool', tool_call_id: 'call00000', content: 'noon' },
      { role: 'user', content: [{ type: 'image_url', image_url: { url: `data:image/png;base64,${png}` } }] },
      { role: 'user', content: 'nobody asked' },
    ])
    expect(lastSeen(upstream).body.tools).toEqual([weather])
    const before = upstream.seen.at(-1)?.body
    await sent({ messages: conversation, tools: [{ function: weather.function }] })
    expect(upstream.seen.at(-1)?.body).toBe(before)
  })

  it('keeps the ids that the client has', async () => {
    const calls = [{ id: 'mine', function: { name: 'f', arguments: {} } }]
    const result = { role: 'tool', tool_call_id: 'mine', content: 'x' }
    const { messages } = await sent({
      messages: [user('go'), { role: 'Assistant', content: 'a', tool_calls: calls }, result],
    })
    expect(messages).toMatchObject([{}, { content: 'a', tool_calls: [{ id: 'mine' }] }, { tool_call_id: 'mine' }])
  })

  const called = (id: string, name: string, args: string) => ({
    id,
    type: 'function',
    function: { name, arguments: args },
  })
  const twoCalls = [called('call_a', 'weather', '{"city":"Paris"}'), called('call_b', 'time', '')]
  const twoTold = [
    { id: 'call_a', function: { index: 0, name: 'weather', arguments: { city: 'Paris' } } },
    { id: 'call_b', function: { index: 1, name: 'time', arguments: {} } },
  ]

  it('gets calls with their arguments as objects', async () => {
    const answer = messageSaying({ content: null, reasoning_content: 'hm', tool_calls: twoCalls }, 'tool_calls')
    expect(await whole(answer, { tools: [weather] })).toMatchObject({
      message: { role: 'assistant', content: '', thinking: 'hm', tool_calls: twoTold },
      done_reason: 'stop',
    })
  })

  it('gets calls that came in pieces whole', async () => {
    const piece = (index: number, more: object) => chunk({ tool_calls: [{ index, ...more }] })
    const lines = await streamed(
      [
        chunk({ role: 'assistant', content: null, reasoning_content: 'h' }),
        chunk({ reasoning_content: 'm' }),
        piece(0, called('call_a', 'weather', '')),
        piece(0, { function: { arguments: '{"city":' } }),
        piece(0, { function: { arguments: '"Paris"}' } }),
        piece(1, called('call_b', 'time', '')),
        chunk({}, 'tool_calls'),
        'data: [DONE]\n\n',
      ],
      { tools: [weather] },
    )
    expect(lines.map(({ message, done }) => [message, done])).toEqual([
      [{ role: 'assistant', content: '', thinking: 'h' }, false],
      [{ role: 'assistant', content: '', thinking: 'm' }, false],
      [{ role: 'assistant', content: '', tool_calls: twoTold }, false],
      [{ role: 'assistant', content: '' }, true],
    ])
  })

  it('gets the probabilities of its tokens in its own form', async () => {
    const logprobs = tokenLogprobs('Hi')
    const told = [{ token: 'Hi', logprob: -0.5 }]
    const asked = { logprobs: true, top_logprobs: 2 }
    expect(await whole(messageSaying({ content: 'Hi' }, 'stop', { logprobs }), asked)).toMatchObject({ logprobs: told })
    expect(lastSeen(upstream).body).toMatchObject(asked)
    const base = { id: 'c', object: 'chat.completion.chunk', created: 1, model: 'fake-model' }
    const choice = { index: 0, delta: { role: 'assistant', content: 'Hi' }, logprobs, finish_reason: null }
    const first = `data: ${JSON.stringify({ ...base, choices: [choice] })}\n\n`
    const lines = await streamed([first, chunk({}, 'length'), 'data: [DONE]\n\n'], asked)
    expect(joinedLines(lines)).toMatchObject({ message: { content: 'Hi' }, logprobs: told, done_reason: 'length' })
  })

  it('takes the durations that the upstream tells', async () => {
    const timings = { prompt_ms: 12.5, predicted_ms: 100 }
    const told = { prompt_eval_duration: 12_500_000, eval_duration: 100_000_000 }
    expect(await whole({ ...chatAnswer('Hi'), timings })).toMatchObject(told)
  })

  it('has durations that make up a speed where it comes whole', async () => {
    const usage = { prompt_tokens: 100, completion_tokens: 30, total_tokens: 130 }
    upstream.script(async (...exchange) => {
      await new Promise((resolve) => setTimeout(resolve, 20))
      json(200, { ...chatAnswer('Hi'), usage })(...exchange)
    })
    const reply = await ask({ ...base, stream: false })
    const {
      total_duration: total,
      prompt_eval_duration: read,
      eval_duration: written,
    } = JSON.parse(reply.text) as Record<string, number>
    expect(total).toBeGreaterThan(1_000_000)
    expect(Number(written) / Number(total)).toBeCloseTo(0.75)
    expect(Number(read) / Number(total)).toBeCloseTo(0.25)
  })

  it('without messages only loads or unloads the model, which nobody need be asked for', async () => {
    const before = upstream.seen.length
    const answered = { model: 'up/m', created_at: isoTime, message: { role: 'assistant', content: '' }, done: true }
    for (const [more, reason] of [
      [{}, 'load'],
      [{ keep_alive: '0s' }, 'unload'],
      [{ keep_alive: 0 }, 'unload'],
      [{ keep_alive: -1 }, 'load'],
    ] as const) {
      const reply = await ask({ model: 'up/m', messages: [], ...more })
      expect(JSON.parse(reply.text)).toEqual({ ...answered, done_reason: reason })
    }
    expect(upstream.seen.length).toBe(before)
  })

  it('is answered by the embedded model', async () => {
    const reply = await ask({ model: 'demo/tiny-chat', messages: [user('hi')], options: { temperature: 0 } })
    const lines = linesOf(reply.text)
    expect(lines.length).toBeGreaterThan(2)
    expect(joinedLines(lines)).toMatchObject({
      ...{ message: { content: 'Hello! How can I help you?' }, done: true, done_reason: 'stop' },
      eval_count: expect.any(Number),
    })
  })
})
