import { describe, expect, it } from 'vitest'
import { ollamaURL } from '../../providers/ollama/address.ts'
import ollama from '../../providers/ollama.ts'
import { readRefusal } from '../../src/core/failure.ts'
import { failureWords } from '../../src/core/failure-words.ts'
import type { OperationSpec, ProviderSettings, SlowPath, WireContext } from '../../src/core/provider.ts'
import type { Stage } from '../../src/core/stream.ts'
import type { OperationName } from '../../src/operations/facts.ts'
import { GatewayError } from '../../src/wire/errors.ts'
import { isObject, type JsonObject, objectAt } from '../../src/wire/json.ts'
import recorded from '../fixtures/ollama-0.32.15-native.json' with { type: 'json' }
import { loadedSpecs } from '../support/loaded-specs.ts'

await failureWords.load()

const settings: ProviderSettings = { baseURL: 'http://127.0.0.1:11434', headers: {}, options: {} }
const specs = await loadedSpecs(ollama, settings)
const user = (content: unknown) => ({ role: 'user', content })
const weather = {
  type: 'function',
  function: {
    name: 'get_weather',
    description: 'd',
    parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  },
}

describe('a chat request', () => {
  const plain = { messages: [user('hi')], temperature: 0, max_tokens: 120 }
  const schema = bodyOf('chat_format').format
  const history = [
    user('weather in Tokyo?'),
    {
      role: 'assistant',
      content: null,
      tool_calls: [{ id: 'c1', type: 'function', function: { name: 'get_weather', arguments: '{"city": "Tokyo"}' } }],
    },
    { role: 'tool', tool_call_id: 'c1', content: 'sunny' },
  ]

  it.each<[string, JsonObject]>([
    ['chat', plain],
    ['chat_length', { messages: [user('Tell me a story')], max_completion_tokens: 5, max_tokens: 9 }],
    ['chat_tool', { ...plain, messages: [user('weather in Paris?')], tools: [strict(weather)] }],
    ['chat_tool_result', { ...plain, messages: history, tools: [weather] }],
    ['chat_think', { ...plain, messages: [user('ping /think')], think: true }],
    ['chat_think_false', { ...plain, messages: [user('ping /think')], reasoning_effort: 'none' }],
    ['chat_format', { ...plain, response_format: { type: 'json_schema', json_schema: { name: 'x', schema } } }],
    ['chat_format', { ...plain, response_format: { type: 'json_object', schema } }],
    ['chat_json', { ...plain, response_format: { type: 'json_object' } }],
    ['chat_logprobs', { ...plain, messages: [user('ping')], logprobs: true, top_logprobs: 2 }],
  ])('becomes what the recorded server understood: %s', (label, body) => {
    const wanted = bodyOf(label)
    expect(encode(body)).toMatchObject(wanted)
    expect(Object.keys(encode(body)).sort()).toEqual(Object.keys(wanted).sort())
  })

  it.each<[string, JsonObject, JsonObject]>([
    ['a stop string becomes a list', { stop: '\n' }, { options: { stop: ['\n'] } }],
    ['a list of stops stays one', { stop: ['a', 'b'] }, { options: { stop: ['a', 'b'] } }],
    ['reasoning_effort minimal is low', { reasoning_effort: 'minimal' }, { think: 'low' }],
    ['reasoning_effort high is high', { reasoning_effort: 'high' }, { think: 'high' }],
    ['reasoning_effort xhigh is max', { reasoning_effort: 'xhigh' }, { think: 'max' }],
    ['think wins over reasoning_effort', { think: false, reasoning_effort: 'high' }, { think: false }],
    ["OpenRouter's reasoning.effort counts too", { reasoning: { effort: 'low' } }, { think: 'low' }],
    ['num_ctx goes into the options', { num_ctx: 8192, top_k: 5 }, { options: { num_ctx: 8192, top_k: 5 } }],
    ["vLLM's penalty has another name here", { repetition_penalty: 1.2 }, { options: { repeat_penalty: 1.2 } }],
    ['whole options are kept', { options: { mirostat: 2, seed: 1 }, seed: 7 }, { options: { mirostat: 2, seed: 7 } }],
    ['keep_alive stays', { keep_alive: '5m' }, { keep_alive: '5m' }],
    ['an unknown field goes on', { shiny: { new: 1 } }, { shiny: { new: 1 } }],
    ['streaming is said', { stream: true }, { stream: true }],
    ['not streaming is said too', {}, { stream: false }],
  ])('is translated: %s', (_, body, wanted) => {
    expect(encode({ messages: [user('hi')], ...body })).toMatchObject(wanted)
  })

  it('says nothing that the client left out, and null counts as left out', () => {
    const nothing = {
      temperature: null,
      top_p: null,
      stop: null,
      tools: null,
      reasoning_effort: null,
      logit_bias: null,
    }
    const request = encode({ messages: [user('hi')], ...nothing })
    expect(Object.keys(request).sort()).toEqual(['messages', 'model', 'options', 'stream'])
    expect(request.options).toEqual({ num_predict: 16384 })
  })

  it('loses what has no bearing on the answer', () => {
    const cosmetic = {
      user: 'u',
      metadata: { a: 'b' },
      store: true,
      service_tier: 'flex',
      safety_identifier: 's',
      prompt_cache_key: 'k',
      verbosity: 'low',
      parallel_tool_calls: true,
      stream_options: { include_usage: true },
      n: 1,
    }
    expect(encode({ messages: [user('hi')], ...cosmetic })).toEqual(encode({ messages: [user('hi')] }))
  })

  it.each<[string, JsonObject]>([
    ['response_format', { response_format: { type: 'grammar' } }],
    ['tools[1]', { tools: [weather, { type: 'custom', custom: { name: 'x' } }] }],
    ['messages[0].content[0].image_url', { messages: [user([image('https://example.com/a.png')])] }],
    ['messages[0].content[0]', { messages: [user([{ type: 'file', file: { file_id: 'f' } }])] }],
  ])('that Ollama would quietly misread is refused, naming %s', (param, body) => {
    expect(refusal({ messages: [user('hi')], ...body })).toMatchObject({
      kind: 'incapable',
      status: 400,
      code: 'unsupported_parameter',
      param,
    })
  })

  it('with tool_choice none offers no tools', () => {
    expect(encode({ messages: [user('hi')], tools: [weather], tool_choice: 'none' })).not.toHaveProperty('tools')
    expect(encode({ messages: [user('hi')], tools: [weather], tool_choice: 'auto' }).tools).toEqual([weather])
  })

  it('of several parts stays one message with its pictures and sounds beside it', () => {
    const parts = [
      { type: 'text', text: 'What is' },
      image('data:image/png;base64,iVBORw0KGgo='),
      { type: 'text', text: 'this?' },
      { type: 'input_audio', input_audio: { data: 'UklGRg==', format: 'wav' } },
    ]
    expect(encode({ messages: [user(parts)] }).messages).toEqual([
      { role: 'user', content: 'What is\nthis?', images: ['iVBORw0KGgo=', 'UklGRg=='] },
    ])
  })

  it('keeps roles, thoughts and the names behind tool results', () => {
    const calls = (id: string, name: string, text: string) => [
      { id, type: 'function', function: { name, arguments: text } },
    ]
    const messages = [
      { role: 'developer', content: 'Be brief.' },
      { role: 'assistant', content: null, reasoning_content: 'hm', tool_calls: calls('a', 'now', '') },
      { role: 'tool', tool_call_id: 'a', content: [{ type: 'text', text: 'noon' }] },
      { role: 'assistant', content: null, function_call: { name: 'old', arguments: '{"x":1}' } },
      { role: 'function', name: 'old', content: '1' },
    ]
    expect(encode({ messages }).messages).toEqual([
      { role: 'system', content: 'Be brief.' },
      {
        role: 'assistant',
        content: '',
        thinking: 'hm',
        tool_calls: [{ id: 'a', function: { index: 0, name: 'now', arguments: {} } }],
      },
      { role: 'tool', tool_call_id: 'a', tool_name: 'now', content: 'noon' },
      { role: 'assistant', content: '', tool_calls: [{ function: { index: 0, name: 'old', arguments: { x: 1 } } }] },
      { role: 'tool', name: 'old', tool_name: 'old', content: '1' },
    ])
  })

  it.each(['{"city":', '[1]', 'Paris', '"Paris"', '{"a":1}{"b":2}'])(
    'with call arguments %s in its history is refused by name',
    (text) => {
      const call = { id: 'a', type: 'function', function: { name: 'f', arguments: text } }
      expect(refusal({ messages: [user('hi'), { role: 'assistant', tool_calls: [call] }] })).toMatchObject({
        kind: 'incapable',
        status: 400,
        param: 'messages[1].tool_calls[0].function.arguments',
      })
    },
  )

  it('with functions of 2023 offers them as tools', () => {
    const request = encode({ messages: [user('hi')], functions: [weather.function], function_call: 'auto' })
    expect(request.tools).toEqual([weather])
    expect(request).not.toHaveProperty('functions')
  })
})

describe('a legacy completion request', () => {
  it('is one prompt with sixteen tokens to go, and no thoughts', () => {
    const request = encode({ prompt: ['Once upon'], suffix: 'the end', temperature: 0 }, 'completions')
    expect(request).toEqual({
      model: 'tiny-chat',
      prompt: 'Once upon',
      suffix: 'the end',
      think: false,
      options: { temperature: 0, num_predict: 16 },
      stream: false,
    })
  })

  it.each<[string, JsonObject]>([
    ['prompt', { prompt: ['a', 'b'] }],
    ['prompt', { prompt: [1, 2, 3] }],
    ['prompt', { prompt: [[1, 2]] }],
  ])('that Ollama can not serve is refused, naming %s', (param, body) => {
    expect(refusal(body, 'completions')).toMatchObject({ kind: 'incapable', code: 'unsupported_parameter', param })
  })
})

describe('an answer', () => {
  it('is a whole OpenAI object, with every key that clients rely on', () => {
    expect(decode('chat')).toEqual({
      id: 'chatcmpl-1',
      object: 'chat.completion',
      created: 1764000000,
      model: 'tiny-chat',
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: 'Hello! How can I help you?', refusal: null },
          logprobs: null,
          finish_reason: 'stop',
        },
      ],
      usage: {
        prompt_tokens: 13,
        completion_tokens: 11,
        total_tokens: 24,
        prompt_tokens_details: { cached_tokens: 0 },
        completion_tokens_details: { reasoning_tokens: 0 },
      },
    })
  })

  it('that ran into its limit says so', () => {
    expect(choiceOf(decode('chat_length')).finish_reason).toBe('length')
  })

  it('with tool calls has them as text, with their own ids and the right reason', () => {
    const choice = choiceOf(decode('chat_tool_parallel'))
    expect(choice).toMatchObject({ finish_reason: 'tool_calls', message: { content: null } })
    expect(objectAt(choice, 'message')?.tool_calls).toEqual([
      call('GXkfRSNJ78QOLPKQN920bUVL5hs3ne6W', '{"city":"Paris"}'),
      call('iSGCqaGTB4V5QsroMcUlqzERIJd5jDH6', '{"city":"Rome"}'),
    ])
  })

  it('gets ids for tool calls where the server gave none', () => {
    const message = { role: 'assistant', content: '', tool_calls: [{ function: { name: 'now' } }] }
    const answer = spec('chat').decode?.({ model: 'm', message, done: true }, context({}))
    expect(objectAt(choiceOf(answer), 'message')?.tool_calls).toEqual([
      {
        id: expect.stringMatching(/^call_\w{24}$/),
        type: 'function',
        function: { name: 'now', arguments: '{}' },
      },
    ])
  })

  it('to functions of 2023 is a function_call', () => {
    const choice = choiceOf(decode('chat_tool', { functions: [weather.function] }))
    expect(choice.finish_reason).toBe('function_call')
    expect(choice.message).toEqual({
      role: 'assistant',
      content: null,
      refusal: null,
      function_call: { name: 'get_weather', arguments: '{"city":"Paris"}' },
    })
  })

  it('keeps thoughts apart from the text', () => {
    expect(choiceOf(decode('chat_think')).message).toMatchObject({
      content: 'pong',
      reasoning_content: 'The user says: ping\n',
    })
  })

  it('carries log probabilities where they were asked for', () => {
    const { content } = choiceOf(decode('chat_logprobs')).logprobs as { content: JsonObject[] }
    expect(content.map(({ token }) => token)).toEqual(['p', 'ong'])
    expect(content[0]).toMatchObject({ bytes: [112], top_logprobs: [{ token: 'p' }, { token: 'H' }] })
  })

  it('to a legacy completion is a text_completion', () => {
    expect(decode('generate', {}, 'completions')).toMatchObject({
      id: 'chatcmpl-1',
      object: 'text_completion',
      choices: [{ text: 'Hello! How can I help you?', index: 0, logprobs: null, finish_reason: 'stop' }],
      usage: { prompt_tokens: 13, completion_tokens: 11, total_tokens: 24 },
    })
    expect(choiceOf(decode('generate_raw', {}, 'completions')).finish_reason).toBe('length')
  })

  it('without a message is no answer', () => {
    expect(() => spec('chat').decode?.({ model: 'm' }, context({}))).toThrow(GatewayError)
  })
})

describe('a stream', () => {
  const streams = recorded.cases.map(({ label }) => label).filter((label) => /^(chat|generate).*_stream$/.test(label))
  const operationOf = (label: string): OperationName => (label.startsWith('generate') ? 'completions' : 'chat')

  it.each(streams)('of %s is the same however its bytes are cut, one emit a piece at most', (label) => {
    const bytes = bytesOf(label)
    const whole = play([bytes], {}, operationOf(label))
    expect(
      play(
        pieces(bytes, () => 1),
        {},
        operationOf(label),
      ).text,
    ).toBe(whole.text)
    for (let seed = 1; seed <= 20; seed++) {
      const random = numbers(seed)
      const cut = pieces(bytes, () => 1 + Math.floor(random() * 300))
      const played = play(cut, {}, operationOf(label))
      expect(played.text).toBe(whole.text)
      expect(played.emits).toBeLessThanOrEqual(cut.length)
    }
  })

  it.each(streams)('of %s says what the whole answer says', (label) => {
    const operation = operationOf(label)
    const whole = decode(label.replace('_stream', ''), {}, operation)
    const streamed = assemble(play([bytesOf(label)], { stream_options: { include_usage: true } }, operation).text)
    expect(streamed).toEqual(comparable(whole))
  })

  it('opens with the role, ends with one reason and [DONE], and keeps one id, time and model', () => {
    const chunks = events(play([bytesOf('chat_stream')]).text)
    expect(chunks.at(-1)).toBe('[DONE]')
    const objects = chunks.slice(0, -1).map((chunk) => JSON.parse(chunk) as JsonObject)
    for (const chunk of objects) {
      expect(chunk).toMatchObject({
        id: 'chatcmpl-1',
        object: 'chat.completion.chunk',
        created: 1764000000,
        model: 'tiny-chat',
      })
      expect(chunk).not.toHaveProperty('usage')
      expect(chunk).not.toHaveProperty('error')
    }
    expect(choiceOf(objects[0])).toEqual({
      index: 0,
      delta: { role: 'assistant', content: '' },
      logprobs: null,
      finish_reason: null,
    })
    expect(choiceOf(objects.at(-1))).toEqual({ index: 0, delta: {}, logprobs: null, finish_reason: 'stop' })
    expect(objects.filter((chunk) => choiceOf(chunk).finish_reason !== null)).toHaveLength(1)
  })

  it('counts its tokens in a chunk of its own where that was asked for, and is null before', () => {
    const objects = events(play([bytesOf('chat_stream')], { stream_options: { include_usage: true } }).text)
      .slice(0, -1)
      .map((chunk) => JSON.parse(chunk) as JsonObject)
    expect(objects.at(-1)).toMatchObject({
      choices: [],
      usage: { prompt_tokens: 13, completion_tokens: 11, total_tokens: 24 },
    })
    for (const chunk of objects.slice(0, -1)) expect(chunk.usage).toBeNull()
  })

  it('gives tool calls of several lines distinct numbers, though the server counts from 0 each time', () => {
    const line = (city: string, done: boolean) => ({
      model: 'm',
      message: {
        role: 'assistant',
        content: '',
        tool_calls: [{ function: { index: 0, name: 'f', arguments: { city } } }],
      },
      done,
    })
    const text = play([ndjson(line('Paris', false), line('Rome', true))]).text
    const deltas = events(text)
      .slice(0, -1)
      .map((chunk) => objectAt(choiceOf(JSON.parse(chunk)), 'delta'))
    expect(deltas.flatMap((delta) => delta?.tool_calls ?? [])).toMatchObject([
      { index: 0, id: expect.stringMatching(/^call_/), function: { arguments: '{"city":"Paris"}' } },
      { index: 1, id: expect.stringMatching(/^call_/), function: { arguments: '{"city":"Rome"}' } },
    ])
    expect(choiceOf(assemble(text)).finish_reason).toBe('tool_calls')
    const legacy = choiceOf(
      assemble(play([ndjson(line('Paris', false), line('Rome', true))], { functions: [{}] }).text),
    )
    expect(legacy).toMatchObject({
      finish_reason: 'function_call',
      message: { function_call: { arguments: '{"city":"Paris"}' } },
    })
  })

  it('keeps every character, escaped or not, and never breaks a frame', () => {
    const texts = ['née 🦙', '"quoted"', 'back\\slash', 'new\nline\r\n', '\u2028', '<b>&', '\u0001', '"},"done":false}']
    const bytes = ndjson(
      ...texts.map((content) => ({
        model: 'm',
        created_at: 't',
        message: { role: 'assistant', content },
        done: false,
      })),
      { model: 'm', message: { role: 'assistant', content: '' }, done: true, done_reason: 'stop' },
    )
    const { text } = play(pieces(bytes, () => 1))
    expect(choiceOf(assemble(text)).message).toMatchObject({ content: texts.join('') })
    for (const frame of text.split('\n\n').slice(0, -1)) expect(frame).toMatch(/^data: [^\r\n]+$/)
  })

  it('that is answered with one plain object works as well', () => {
    expect(choiceOf(assemble(play([bytesOf('chat_empty_stream')]).text))).toMatchObject({ finish_reason: 'stop' })
  })

  it('that breaks off is a failure, never an end, and what came before is kept', () => {
    const bytes = bytesOf('chat_stream')
    const cut = bytes.subarray(0, bytes.lastIndexOf(10, bytes.length - 2) + 1)
    const { text, error } = play([cut])
    expect(text).toContain('"content":"?"')
    expect(text).not.toContain('[DONE]')
    expect(error).toMatchObject({ kind: 'protocol', code: 'upstream_stream_truncated' })
  })

  it.each([
    ['upstream', 'an error was encountered while running the model: error: runner died'],
    ['context_length', bodyText('err_context')],
    ['not_pulled', "model 'x' not found"],
    ['overloaded', 'server busy, please try again.  maximum pending requests exceeded'],
    ['incapable', bodyText('err_image')],
  ])('with an error line fails as %s after the text before it', (kind, message) => {
    const hello = { model: 'm', message: { role: 'assistant', content: 'Hel' }, done: false }
    const error = message.startsWith('{') ? JSON.parse(message).error : message
    const played = play([ndjson(hello, { error })])
    expect(played.text).toContain('"content":"Hel"')
    expect(played.error).toMatchObject({ kind })
    expect(played.error?.message).not.toMatch(/[{}]/)
  })

  it('with a line that is no JSON fails', () => {
    expect(play([new TextEncoder().encode('<html>\n')]).error).toMatchObject({ kind: 'protocol' })
  })

  it('says nothing after its end', () => {
    const played = play([bytesOf('chat_stream'), bytesOf('chat_stream')])
    expect(played.text.match(/\[DONE\]/g)).toHaveLength(1)
  })
})

describe('a refusal', () => {
  const refused = (status: number, body: string) => {
    const provider = { name: 'ollama', definition: ollama, settings, operations: {}, callersKey: false }
    return readRefusal({ status, headers: {}, body, model: 'x', asked: 'x', bearer: undefined, now: 0 }, provider)
  }
  const text = (error: string) => JSON.stringify({ error })

  it.each<[number, string, string]>([
    [404, bodyText('err_model'), 'not_pulled'],
    [404, bodyText('show_missing'), 'not_pulled'],
    [404, text('model "x" not found, try pulling it first'), 'not_pulled'],
    [
      404,
      '{"error":{"message":"model \'x\' not found","type":"not_found_error","param":null,"code":null}}',
      'not_pulled',
    ],
    [400, text('invalid model name'), 'not_found'],
    [403, text('ollama cloud is disabled: remote model is unavailable'), 'no_live_provider'],
    [400, text('registry.ollama.ai/library/x:latest does not support tools'), 'incapable'],
    [400, text('"x" does not support chat'), 'incapable'],
    [400, text('"x" does not support thinking'), 'incapable'],
    [400, bodyText('err_context'), 'context_length'],
    [400, text('the prompt is longer than the context length currently available to the model'), 'context_length'],
    [503, text('server busy, please try again.  maximum pending requests exceeded'), 'overloaded'],
    [499, text('request canceled'), 'upstream'],
    [500, bodyText('err_image'), 'incapable'],
    [500, text('option "temperature" must be of type float32'), 'bad_request'],
    [500, text('llama runner process has terminated'), 'upstream'],
    [401, '{"error":"unauthorized","signin_url":"https://ollama.com/connect"}', 'auth'],
    [403, '', 'auth'],
    [400, text('unexpected EOF'), 'bad_request'],
  ])('HTTP %i %s is %s', (status, body, kind) => {
    expect(refused(status, body).kind).toBe(kind)
  })

  it('to think is healed by not asking for it', () => {
    expect(ollama.heal?.(refused(400, text('"x" does not support thinking')))?.drop).toContain('reasoning_effort')
    expect(ollama.heal?.(refused(400, text('"x" does not support tools')))).toBeUndefined()
  })
})

describe('an address', () => {
  it.each([
    ['127.0.0.1:11434', 'http://127.0.0.1:11434'],
    ['0.0.0.0', 'http://127.0.0.1:11434'],
    ['0.0.0.0:8080', 'http://127.0.0.1:8080'],
    ['', 'http://127.0.0.1:11434'],
    [':8080', 'http://127.0.0.1:8080'],
    ['host:80', 'http://host'],
    ['[::1]', 'http://[::1]:11434'],
    ['::', 'http://[::1]:11434'],
    ['"gpu.local"', 'http://gpu.local:11434'],
    ['http://gpu.local', 'http://gpu.local'],
    ['http://0.0.0.0:11434/', 'http://127.0.0.1:11434'],
    ['http://gpu.local:11434/v1', 'http://gpu.local:11434'],
    ['https://ollama.com/api/', 'https://ollama.com'],
    ['ollama.com', 'https://ollama.com'],
    ['https://example.com/ollama/v1/', 'https://example.com/ollama'],
    ['gpu.local/ollama', 'http://gpu.local:11434/ollama'],
  ])('as people write it in OLLAMA_HOST, %j, is understood', (host, url) => {
    expect(ollamaURL(host)).toBe(url)
    expect(ollama.url?.({ ...settings, baseURL: host }, '/api/chat', 'm')).toBe(`${url}/api/chat`)
  })
})

describe("Ollama's own /v1, where that is chosen", () => {
  it('hears the limit under the name that it knows', async () => {
    const operations = await loadedSpecs(ollama, { ...settings, options: { api: 'openai' } })
    expect(operations.chat?.path).toBe('/v1/chat/completions')
    const limited = operations.chat?.encode?.(context({ messages: [user('hi')], max_completion_tokens: 5, user: 'u' }))
    expect(limited).toEqual({ model: 'tiny-chat', messages: [user('hi')], max_tokens: 5, user: 'u' })
    expect(operations.completions?.encode?.(context({ prompt: ['a'] }))).toMatchObject({ prompt: 'a', max_tokens: 16 })
  })
})

describe('the library', () => {
  it('is listed with what each model can do', async () => {
    const asked: string[] = []
    const models = await ollama.models?.(
      { ...settings, apiKey: 'k' },
      slowPath((url, init) => {
        asked.push(url)
        expect(new Headers(init.headers).get('authorization')).toBe('Bearer k')
        if (url.endsWith('/api/tags')) return Response.json(JSON.parse(bodyText('tags')))
        const { model } = JSON.parse(String(init.body))
        return model === 'tiny-chat:latest'
          ? Response.json(JSON.parse(bodyText('show')))
          : Response.json({ error: 'no' }, { status: 500 })
      }),
    )
    expect(asked[0]).toBe('http://127.0.0.1:11434/api/tags')
    expect(models).toHaveLength(3)
    expect(models?.[0]).toEqual({
      id: 'tiny-chat:latest',
      created: 1795402623,
      ownedBy: 'library',
      contextWindow: 4096,
      supports: { tools: true, vision: false, audio: false },
      weights: { format: 'gguf', family: 'llama', size: '1.12M', quantization: 'F16' },
      reasons: true,
      inputs: ['text'],
      outputs: ['text'],
    })
    expect(models?.[2]).toMatchObject({ id: 'tiny-random:latest', contextWindow: 8192 })
    expect(models?.[2]).not.toHaveProperty('supports')
  })

  it('asks once for what the same weights can do, a few at a time, and 20 of them for one list', async () => {
    const own = { ...settings }
    const models = Array.from({ length: 30 }, (_, at) => ({ name: `m${at}`, model: `m${at}`, digest: `sha${at}` }))
    let shows = 0
    let atOnce = 0
    let most = 0
    const tools = slowPath(async (url) => {
      if (url.endsWith('/api/tags')) return Response.json({ models })
      shows++
      most = Math.max(most, ++atOnce)
      await new Promise((later) => setImmediate(later))
      atOnce--
      return Response.json({ capabilities: ['embedding'], model_info: { 'bert.context_length': 512 } })
    })
    const first = await ollama.models?.(own, tools)
    expect([shows, most]).toEqual([20, 4])
    expect(first?.[19]).toMatchObject({ contextWindow: 512, outputs: ['embeddings'] })
    expect(first?.[20]).toEqual({ id: 'm20', ownedBy: 'library' })
    const second = await ollama.models?.(own, tools)
    expect(shows).toBe(30)
    expect(second?.[29]).toMatchObject({ contextWindow: 512 })
    models[0] = { name: 'm0', model: 'm0', digest: 'other' }
    await ollama.models?.(own, tools)
    expect(shows).toBe(31)
  })

  it('is listed without the details of a server that takes too long to tell them', async () => {
    const stop = new AbortController()
    const tools = slowPath(
      (url, init) => {
        if (url.endsWith('/api/tags')) return Response.json({ models: [{ name: 'a', model: 'a' }] })
        return new Promise<Response>((_, reject) => {
          init.signal?.addEventListener('abort', () => reject(new Error('stopped')))
          stop.abort()
        })
      },
      undefined,
      stop.signal,
    )
    expect(await ollama.models?.({ ...settings }, tools)).toEqual([{ id: 'a', ownedBy: 'library' }])
  })

  it('pulls a model and tells how far it is', async () => {
    const said: string[] = []
    const steps = Array.from({ length: 101 }, (_, at) => ({
      status: 'pulling',
      digest: 'a',
      total: 2e9,
      completed: at * 2e7,
    }))
    const answer = () => new Response(ndjson({ status: 'pulling manifest' }, ...steps, { status: 'success' }))
    await ollama.pull?.(
      'llama3.2',
      settings,
      slowPath(answer, (text) => said.push(text)),
    )
    expect(said.at(-1)).toBe('100 % of 2.0 GB')
    expect(said.length).toBeLessThan(13)
  })

  it.each([
    [
      'an error line',
      () => new Response(ndjson({ error: 'pull model manifest: file does not exist' })),
      'file does not exist',
    ],
    ['an HTTP error', () => Response.json({ error: { message: 'no such thing' } }, { status: 500 }), 'no such thing'],
    ['an end too early', () => new Response(ndjson({ status: 'pulling manifest' })), 'success'],
  ])('fails to pull on %s, with the words of the server', async (_, answer, words) => {
    const pull = ollama.pull?.('nope', settings, slowPath(answer))
    await expect(pull).rejects.toMatchObject({
      kind: 'not_pulled',
      param: 'model',
      message: expect.stringContaining(words),
    })
  })

  it('stops pulling when nobody waits any more', async () => {
    const stop = new AbortController()
    let cancelled = false
    const answer = (_: string, init: RequestInit) => {
      const body = new ReadableStream({
        start(controller) {
          controller.enqueue(ndjson({ status: 'pulling', digest: 'a', total: 100, completed: 20 }))
          init.signal?.addEventListener('abort', () => {
            cancelled = true
            controller.error(init.signal?.reason)
          })
        },
      })
      return new Response(body)
    }
    const pull = ollama.pull?.(
      'llama3.2',
      settings,
      slowPath(answer, () => stop.abort(), stop.signal),
    )
    await expect(pull).rejects.toMatchObject({ kind: 'not_pulled', message: expect.stringContaining('stopped') })
    expect(cancelled).toBe(true)
  })
})

function caseOf(label: string) {
  const found = recorded.cases.find((one) => one.label === label)
  if (!found) throw new Error(`no recorded case ${label}`)
  return found
}

function bodyOf(label: string): JsonObject {
  const { body } = caseOf(label).request
  if (!isObject(body)) throw new Error(`${label} has no body`)
  return body
}

function bodyText(label: string): string {
  return caseOf(label).response.body
}

function bytesOf(label: string): Uint8Array {
  return new TextEncoder().encode(bodyText(label))
}

function context(body: JsonObject): WireContext {
  return {
    body: { ...body, model: 'tiny-chat' },
    model: 'tiny-chat',
    id: 'chatcmpl-1',
    created: 1764000000,
    random: numbers(1),
  }
}

function spec(operation: OperationName): OperationSpec {
  const found = specs[operation]
  if (!found) throw new Error(`no ${operation}`)
  return found
}

/** The request as it goes over the wire. */
function encode(body: JsonObject, operation: OperationName = 'chat'): JsonObject {
  return JSON.parse(JSON.stringify(spec(operation).encode?.(context(body))))
}

function refusal(body: JsonObject, operation: OperationName = 'chat'): unknown {
  try {
    encode(body, operation)
  } catch (error) {
    return error
  }
  throw new Error('it was not refused')
}

function decode(label: string, body: JsonObject = {}, operation: OperationName = 'chat'): JsonObject {
  return spec(operation).decode?.(JSON.parse(bodyText(label)), context(body)) ?? {}
}

function choiceOf(answer: unknown): JsonObject {
  const choices = isObject(answer) && Array.isArray(answer.choices) ? answer.choices : []
  return isObject(choices[0]) ? choices[0] : {}
}

function call(id: string, text: string) {
  return { id, type: 'function', function: { name: 'get_weather', arguments: text } }
}

function strict(tool: typeof weather) {
  return { ...tool, function: { ...tool.function, strict: true } }
}

function image(url: string) {
  return { type: 'image_url', image_url: { url } }
}

function ndjson(...lines: readonly unknown[]): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
}

/** A small seeded generator (mulberry32), so that a failing cut can be seen again. */
function numbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

function pieces(bytes: Uint8Array, size: () => number): Uint8Array[] {
  const cut: Uint8Array[] = []
  for (let at = 0; at < bytes.length; ) {
    const end = at + size()
    cut.push(bytes.subarray(at, end))
    at = end
  }
  return cut
}

interface Played {
  readonly text: string
  readonly emits: number
  readonly error?: GatewayError
}

function play(chunks: readonly Uint8Array[], body: JsonObject = {}, operation: OperationName = 'chat'): Played {
  const stage = spec(operation).stream?.(context({ ...body, stream: true })) as Stage
  const decoder = new TextDecoder()
  let text = ''
  let emits = 0
  const emit = (bytes: Uint8Array) => {
    emits++
    // Every emit holds whole characters: none of them is half a frame.
    text += decoder.decode(bytes)
  }
  try {
    for (const bytes of chunks) stage.chunk(bytes, emit)
    stage.end?.(emit)
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error
    return { text, emits, error }
  }
  return { text, emits }
}

function events(text: string): string[] {
  expect(text.endsWith('\n\n')).toBe(true)
  return text
    .slice(0, -2)
    .split('\n\n')
    .map((frame) => frame.replace(/^data: /, ''))
}

/** What a client makes of a stream, in the form of a whole answer. */
function assemble(text: string): JsonObject {
  const chunks = events(text)
    .filter((data) => data !== '[DONE]')
    .map((data) => JSON.parse(data) as JsonObject)
  const choices = chunks.map(choiceOf)
  const deltas = choices.map((choice) => objectAt(choice, 'delta') ?? {})
  const joined = (key: string) => deltas.map((delta) => delta[key] ?? '').join('')
  const toolCalls = deltas.flatMap((delta) => (Array.isArray(delta.tool_calls) ? delta.tool_calls : []))
  const logprobs = choices.flatMap(({ logprobs: part }) =>
    isObject(part) && Array.isArray(part.content) ? part.content : [],
  )
  const functionCall = deltas.find((delta) => delta.function_call)?.function_call
  return comparable({
    object: chunks[0]?.object,
    usage: chunks.at(-1)?.usage,
    choices: [
      {
        text: choices.map((choice) => choice.text ?? '').join(''),
        message: {
          content: joined('content'),
          reasoning_content: joined('reasoning_content'),
          tool_calls: toolCalls,
          function_call: functionCall,
        },
        logprobs: logprobs.length > 0 ? { content: logprobs } : null,
        finish_reason: choices.map((choice) => choice.finish_reason).find((reason) => reason),
      },
    ],
  })
}

/** What must be the same in a stream and in a whole answer; ids of tool calls are drawn anew for every request. */
function comparable(answer: JsonObject): JsonObject {
  const choice = choiceOf(answer)
  const message = objectAt(choice, 'message') ?? {}
  const calls = Array.isArray(message.tool_calls) ? message.tool_calls.filter(isObject) : []
  return {
    usage: answer.usage,
    choices: [
      {
        text: choice.text || '',
        message: {
          content: message.content || '',
          reasoning_content: message.reasoning_content || '',
          tool_calls: calls.map(({ id: _, index: __, ...rest }) => rest),
          function_call: message.function_call,
        },
        logprobs: objectAt(choice, 'logprobs')?.content ?? null,
        finish_reason: choice.finish_reason,
      },
    ],
  }
}

function slowPath(
  answer: (url: string, init: RequestInit) => Response | Promise<Response>,
  log: (text: string) => void = () => {},
  signal = new AbortController().signal,
): SlowPath {
  return { fetch: async (input, init) => answer(String(input), init ?? {}), signal, log }
}
