import { describe, expect, it } from 'vitest'
import { chunksOf } from '../contract/read.ts'
import { runtimes, serveBoth } from '../support/both.ts'
import { chunk, json, stream } from '../support/upstream.ts'

const { upstream, both } = serveBoth(
  'repaired-answers',
  (url) => ({
    providers: {
      lab: { type: 'openai-compatible', baseURL: `${url}/v1` },
      router: { type: 'huggingface', baseURL: `${url}/v1`, apiKey: 'env:LAB_KEY' },
    },
    retries: 0,
  }),
  { env: { LAB_KEY: 'k' } },
)

const head = { id: 'chatcmpl-1', object: 'chat.completion', created: 1_700_000_000, model: 'm' }
const usage = { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 }
const messages = [{ role: 'user', content: 'hi' }]

type Fields = Readonly<Record<string, unknown>>

function answer(message: Fields, finish: unknown = 'stop', more: Fields = {}): Fields {
  return {
    ...head,
    choices: [{ index: 0, message: { role: 'assistant', ...message }, finish_reason: finish }],
    usage,
    ...more,
  }
}

const call = (more: Fields, fn: Fields = {}) => ({
  id: 'call_a',
  type: 'function',
  function: { name: 'f', arguments: '{"x":1}', ...fn },
  ...more,
})

describe.each(runtimes)('A whole answer of a plain compatible server on %s', (runtime) => {
  async function choiceOf(body: unknown) {
    upstream.script(json(200, body))
    const { text, status } = await both.ask(runtime, { model: 'lab/m', messages })
    expect(status, text).toBe(200)
    return JSON.parse(text).choices[0]
  }

  it.each([
    ['eos_token', 'stop'],
    ['eos', 'stop'],
    ['end_turn', 'stop'],
    ['stop_sequence', 'stop'],
    ['STOP', 'stop'],
    ['', 'stop'],
    [null, 'stop'],
    ['max_tokens', 'length'],
    ['model_length', 'length'],
    ['MAX_TOKENS', 'length'],
    ['SAFETY', 'content_filter'],
    ['content_filter', 'content_filter'],
    [{ type: 'length' }, 'length'],
  ])('has the finish reason %j as %s', async (given, expected) => {
    expect((await choiceOf(answer({ content: 'x' }, given))).finish_reason).toBe(expected)
  })

  it.each(['stop', 'eos_token', 'tool_use', 'tool_calls', '', null])(
    'has the finish reason %j as tool_calls where calls were made',
    async (given) => {
      const choice = await choiceOf(answer({ content: null, tool_calls: [call({})] }, given))
      expect(choice.finish_reason).toBe('tool_calls')
    },
  )

  it('keeps the finish reason length where a call was cut', async () => {
    const cut = answer({ content: null, tool_calls: [call({}, { arguments: '{"x' })] }, 'length')
    expect((await choiceOf(cut)).finish_reason).toBe('length')
  })

  it.each([
    ['an object in place of the list', call({})],
    ['no type', [{ ...call({}), type: undefined }]],
    ['no id', [call({ id: null })]],
    ['the id "0"', [call({ id: '0' })]],
    ['arguments as an object', [call({}, { arguments: { x: 1 } })]],
    ['parameters in place of arguments', [call({}, { arguments: undefined, parameters: { x: 1 } })]],
    ['parameters as a text', [call({}, { arguments: undefined, parameters: '{"x":1}' })]],
    ['no `function` around name and parameters', [{ name: 'f', parameters: { x: 1 } }]],
  ])('has whole tool calls in spite of %s', async (_what, calls) => {
    const { message, finish_reason } = await choiceOf(answer({ content: null, tool_calls: calls }))
    expect(finish_reason).toBe('tool_calls')
    expect(message.tool_calls).toEqual([
      { id: expect.stringMatching(/^call_\w+$/), type: 'function', function: { name: 'f', arguments: '{"x":1}' } },
    ])
  })

  it('has a content of parts as one text, and reasoning apart', async () => {
    const thinking = { type: 'thinking', thinking: [{ type: 'text', text: 'Hm.' }] }
    const content = [thinking, { type: 'text', text: 'Hel' }, { type: 'text', text: 'lo' }]
    expect((await choiceOf(answer({ content }))).message).toMatchObject({ content: 'Hello', reasoning_content: 'Hm.' })
  })

  it.each([
    ['an empty id', { id: '' }],
    ['null for all of its head', { id: null, object: null, created: null, model: null }],
    ['an empty error', { error: {} }],
    ['an error of empty texts', { error: { message: '', code: null } }],
  ])('has every key that the specification requires in spite of %s', async (_what, more) => {
    upstream.script(json(200, answer({ content: 'x' }, 'stop', more)))
    const { text } = await both.ask(runtime, { model: 'lab/m', messages })
    const told = JSON.parse(text)
    expect(told).toMatchObject({
      id: expect.stringMatching(/^chatcmpl-/),
      object: 'chat.completion',
      created: expect.any(Number),
      model: 'm',
      usage,
    })
    expect(told).not.toHaveProperty('error')
    expect(told.choices[0]).toMatchObject({
      index: 0,
      message: { role: 'assistant', content: 'x' },
      finish_reason: 'stop',
    })
  })

  it.each([
    ['an error object', { error: { message: 'Provider returned error', code: 502 } }],
    ['an error text', { error: 'the model crashed' }],
    ['the finish reason "error"', { finish_reason: 'error' }],
  ])('has failed if its choice holds %s', async (_what, more) => {
    const choice = { index: 0, message: { role: 'assistant', content: 'par' }, finish_reason: 'stop', ...more }
    for (const [model, path] of [
      ['lab/m', '/chat/completions'],
      ['router/m/m', '/completions'],
    ]) {
      upstream.script(json(200, { ...head, choices: [choice] }))
      const asked = path === '/completions' ? { model, prompt: 'hi' } : { model, messages }
      const { status, text } = await both.ask(runtime, asked, path)
      expect(status, text).toBeGreaterThanOrEqual(500)
      expect(JSON.parse(text)).toHaveProperty('error.message')
    }
  })

  it.each([
    ['is plain', answer({ content: 'x' })],
    ['speaks of oddities', answer({ content: '{"finish_reason":"eos_token","error":{"message":"x"}} data: null' })],
    [
      'has a null error in its choice',
      {
        ...head,
        choices: [{ index: 0, message: { role: 'assistant', content: 'x' }, finish_reason: 'stop', error: null }],
      },
    ],
    [
      'has arguments that look like an answer',
      answer(
        { content: null, tool_calls: [call({}, { arguments: '{"error":{"message":"x"},"finish_reason":"eos"}' })] },
        'tool_calls',
      ),
    ],
    [
      'has a number that JSON can’t carry',
      `${JSON.stringify(answer({ content: 'x' })).slice(0, -1)},"big":9007199254740993}`,
    ],
  ])('passes byte for byte if it %s', async (_what, body) => {
    upstream.script(json(200, body))
    const { text } = await both.ask(runtime, { model: 'lab/m', messages })
    expect(text).toBe(typeof body === 'string' ? body : JSON.stringify(body))
  })
})

describe.each(runtimes)('A stream of a plain compatible server on %s', (runtime) => {
  const ask = async (pieces: readonly string[], more: Fields = {}, path?: string) => {
    upstream.script(stream(pieces))
    return (await both.ask(runtime, { model: 'lab/m', messages, stream: true, ...more }, path)).text
  }
  const counted = (text: string, by: Fields) => text.replace('"choices"', `"usage":${JSON.stringify(by)},"choices"`)
  const done = 'data: [DONE]\n\n'
  const wanted = { stream_options: { include_usage: true } }
  const own =
    'data: {"id":"x","object":"chat.completion.chunk","created":1,"model":"m","choices":[],"usage":{"total_tokens":9}}\n\n'
  const running = [
    counted(chunk({ role: 'assistant', content: 'a' }), { total_tokens: 7 }),
    counted(chunk({ content: 'b' }), { total_tokens: 8 }),
    counted(chunk({}, 'stop'), { total_tokens: 9 }),
  ]

  it.each([
    ['and none by itself', [...running, done]],
    ['and once more by itself', [...running, own, done]],
    ['and no [DONE]', running],
  ])('has its usage once and last where it comes on every chunk, %s', async (_what, pieces) => {
    const text = await ask(pieces, wanted)
    const chunks = chunksOf(text)
    expect(chunks.map(({ usage: told }) => told).filter(Boolean)).toEqual([{ total_tokens: 9 }])
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { total_tokens: 9 } })
    expect(text.endsWith(done)).toBe(true)
  })

  it('has no usage on every chunk where it was not asked for', async () => {
    const chunks = chunksOf(await ask([...running, own, done]))
    expect(chunks.filter((told) => told.usage || told.choices.length === 0)).toEqual([])
  })

  it('keeps unasked usage at its end, byte for byte', async () => {
    const pieces = [chunk({ role: 'assistant', content: 'a' }), counted(chunk({}, 'stop'), { total_tokens: 9 }), done]
    expect(await ask(pieces)).toBe(pieces.join(''))
  })

  it('sends what came before an oddity as it came, and goes on with its id', async () => {
    const begun = [chunk({ role: 'assistant', content: 'a' }), chunk({ content: 'b' }), chunk({ content: 'c' })]
    const text = await ask([...begun, 'data: {"choices":[{"delta":{"content":"d"}}]}\n\n', chunk({}, 'stop'), done])
    expect(text.startsWith(begun.join(''))).toBe(true)
    const { choices, ...same } = chunksOf(text)[3] ?? {}
    expect({ ...same }).toEqual({
      id: 'chatcmpl-fake',
      object: 'chat.completion.chunk',
      created: 1_700_000_000,
      model: 'fake-model',
    })
    expect(choices).toEqual([{ index: 0, delta: { content: 'd' }, finish_reason: null }])
  })

  it('gives the client a sign of life for an empty event, and no data', async () => {
    const pieces = [chunk({ role: 'assistant', content: 'a' }), 'data:\n\n', chunk({}, 'stop'), done]
    expect(await ask(pieces)).toBe(pieces.join('').replace('data:\n\n', ': keep-alive\n\n'))
  })

  it('that breaks off after an oddity still ends with an error', async () => {
    const text = await ask(['data: null\n\n', 'data: {"choices":[{"delta":{"content":"d"}}]}\n\n'])
    expect(text).toContain('upstream_stream_truncated')
    expect(text).not.toContain('[DONE]')
  })

  it('fails if one of its choices tells of an error', async () => {
    const failed =
      'data: {"choices":[{"index":0,"delta":{"content":""},"finish_reason":"error","error":{"message":"boom"}}]}\n\n'
    const text = await ask([chunk({ role: 'assistant', content: 'a' }), failed, done])
    expect(text).toContain('boom')
    expect(text).not.toContain('[DONE]')
  })

  it.each([
    '{"code":1302,"msg":"boom","data":null}',
    '{"success":false,"errors":[{"code":7009,"message":"boom"}],"result":null}',
    '{"choices":null,"base_resp":{"status_code":1000,"status_msg":"boom"}}',
  ])('fails at an envelope that reports a failure after some content: %s', async (said) => {
    const text = await ask([chunk({ role: 'assistant', content: 'a' }), `data: ${said}\n\n`, done])
    expect(text).toContain('boom')
    expect(text).not.toContain('[DONE]')
  })

  it.each<[string, Fields, string?]>([
    ['several answers', { n: 2 }],
    ['the answers to several prompts', { prompt: ['a', 'b'], messages: undefined }, '/completions'],
  ])('keeps the indexes of %s apart', async (_what, more, path) => {
    const of = (index: number, text: string, finish: string | null = null) => {
      const said = path ? { text } : { delta: { role: 'assistant', content: text } }
      const object = path ? 'text_completion' : 'chat.completion.chunk'
      return `data: ${JSON.stringify({ ...head, object, choices: [{ index, ...said, finish_reason: finish }] })}\n\n`
    }
    const pieces = [of(0, 'a'), of(1, 'b'), of(0, 'c'), of(1, 'd'), of(0, '', 'stop'), of(1, '', 'length'), done]
    expect(await ask(pieces, more, path)).toBe(pieces.join(''))
    expect(await ask([...pieces.slice(0, 5), done], more, path)).toContain('upstream_stream_truncated')
  })

  it('puts the legacy route right too', async () => {
    const texts = (reason: unknown) =>
      `data: ${JSON.stringify({ id: '', choices: [{ text: 'a', finish_reason: reason }] })}\n\n`
    const text = await ask([texts(''), texts('eos_token')], { prompt: 'hi', messages: undefined }, '/completions')
    const chunks = chunksOf(text)
    expect(chunks).toHaveLength(2)
    for (const told of chunks)
      expect(told).toMatchObject({ id: expect.stringMatching(/^cmpl-/), object: 'text_completion', model: 'm' })
    expect(chunks.map(({ choices: [choice] }) => choice)).toMatchObject([
      { index: 0, text: 'a', finish_reason: null },
      { index: 0, text: 'a', finish_reason: 'stop' },
    ])
  })
})

describe.each(runtimes)('The legacy route over chat on %s', (runtime) => {
  const parts = [
    { type: 'text', text: 'Hel' },
    { type: 'text', text: 'lo' },
  ]

  it('joins a content of parts, whole and streamed, and has a finish reason of its own', async () => {
    upstream.script(json(200, answer({ content: parts }, 'eos_token')))
    const asked = { model: 'router/m/m', prompt: 'hi' }
    const whole = JSON.parse((await both.ask(runtime, asked, '/completions')).text)
    expect(whole.choices).toMatchObject([{ text: 'Hello', index: 0, finish_reason: 'stop' }])
    upstream.script(stream([chunk({ role: 'assistant', content: parts }), chunk({}, 'end_turn'), 'data: [DONE]\n\n']))
    const { text } = await both.ask(runtime, { ...asked, stream: true }, '/completions')
    const choices = chunksOf(text).flatMap(
      (told) => told.choices as unknown as { text: string; finish_reason: string }[],
    )
    expect(choices.map((choice) => choice.text).join('')).toBe('Hello')
    expect(choices.at(-1)?.finish_reason).toBe('stop')
  })

  it('has its usage once and last', async () => {
    const told = (delta: Fields, finish: string | null, total: number) =>
      chunk(delta, finish).replace('"choices"', `"usage":{"total_tokens":${total}},"choices"`)
    upstream.script(
      stream([told({ role: 'assistant', content: 'a' }, null, 1), told({}, 'stop', 2), 'data: [DONE]\n\n']),
    )
    const asked = { model: 'router/m/m', prompt: 'hi', stream: true, stream_options: { include_usage: true } }
    const chunks = chunksOf((await both.ask(runtime, asked, '/completions')).text)
    expect(chunks.filter(({ usage: counted }) => counted)).toEqual([chunks.at(-1)])
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { total_tokens: 2 } })
  })
})
