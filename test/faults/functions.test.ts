import { beforeEach, describe, expect, it } from 'vitest'
import type { Config } from '../../src/config/schema.ts'
import { chat, errorOf, eventsOf } from '../support/ask.ts'
import { runtimes, serveBoth } from '../support/both.ts'
import { chatAnswer, chatFrames, chunk, json, type Script, stream } from '../support/upstream.ts'

const override = { type: 'function', function: { name: 'ours', parameters: { type: 'object', properties: {} } } }
const configOf = (url: string): Config => ({
  providers: {
    vllm: { type: 'vllm', baseURL: url },
    llamacpp: { type: 'llamacpp', baseURL: url },
    ollama: { type: 'ollama', baseURL: url },
    openai: { type: 'openai', baseURL: url, apiKey: 'env:KEY' },
    any: { type: 'openai-compatible', baseURL: url },
    demo: { type: 'embedded' },
  },
  retries: 0,
  models: {
    equipped: { deployments: [{ model: 'openai/x', overrides: { tools: [override] } }] },
    paired: { deployments: ['any/one', { model: 'any/other', order: 2 }] },
    lenient: { deployments: ['any/lenient'], dropParams: true },
  },
})

const { upstream, both } = serveBoth('functions', configOf, { env: { KEY: 'k-of-the-provider' } })

const weather = { name: 'weather', parameters: { type: 'object', properties: { city: { type: 'string' } } } }
const time = { name: 'time', parameters: { type: 'object', properties: {} } }
const functions = [weather, time]
const tools = functions.map((described) => ({ type: 'function', function: described }))

interface Called {
  readonly name?: string
  readonly arguments: string
}
interface Message {
  readonly role?: string
  readonly content?: string | null
  readonly function_call?: Called
  readonly tool_calls?: unknown
}
interface Answer {
  readonly choices: {
    readonly index: number
    readonly message: Message
    readonly delta: Message
    readonly finish_reason: string | null
  }[]
  readonly usage?: unknown
}

/** Of the requests, without those for lists. */
const bodies = () =>
  upstream.seen.flatMap(({ body }) => (body === '' ? [] : [JSON.parse(body) as Record<string, unknown>]))
const answerOf = ({ text }: { readonly text: string }) => JSON.parse(text) as Answer
const chunksOf = ({ text }: { readonly text: string }) =>
  eventsOf(text).flatMap(({ data }) => (data === '[DONE]' ? [] : [JSON.parse(data) as Answer]))

const call = (name: string, given: string, id = 'call_1') => ({
  id,
  type: 'function',
  function: { name, arguments: given },
})
const calling = (...calls: object[]) => {
  const message = { role: 'assistant', content: null, refusal: null, tool_calls: calls }
  return {
    ...chatAnswer(''),
    choices: [{ index: 0, message, logprobs: null, finish_reason: 'tool_calls' }],
  }
}
const piece = (index: number, more: object) => chunk({ tool_calls: [{ index, ...more }] })
const refusing = (name: string): Script =>
  json(400, {
    error: {
      message: `Unsupported parameter: '${name}' is not supported with this model.`,
      type: 'invalid_request_error',
      param: name,
      code: 'unsupported_parameter',
    },
  })

const streamed: Script = stream([
  chunk({ role: 'assistant', content: null }),
  piece(0, { ...call('weather', ''), type: 'function' }),
  piece(0, { function: { arguments: '{"city":' } }),
  piece(0, { function: { arguments: '"Oslo"}' } }),
  piece(1, call('time', '{}', 'call_2')),
  chunk({}, 'tool_calls'),
  'data: [DONE]\n\n',
])

describe.each(runtimes)('A program of 2023 that sends functions, on %s,', (runtime) => {
  beforeEach(() => {
    upstream.seen.length = 0
    upstream.script(json(200, calling(call('weather', '{"city":"Oslo"}'))))
  })

  it('gets a call from a model that knows tools only, in its own terms', async () => {
    const reply = await both.ask(runtime, chat('vllm/x', { functions, function_call: 'auto', temperature: 0 }))
    expect(answerOf(reply).choices).toEqual([
      {
        index: 0,
        logprobs: null,
        finish_reason: 'function_call',
        message: {
          role: 'assistant',
          content: null,
          refusal: null,
          function_call: { name: 'weather', arguments: '{"city":"Oslo"}' },
        },
      },
    ])
    expect(bodies()).toEqual([chat('x', { tools, tool_choice: 'auto', parallel_tool_calls: false, temperature: 0 })])
  })

  it('may name the function to call', async () => {
    upstream.script(json(200, calling(call('time', '{}'))))
    await both.ask(runtime, chat('vllm/x', { functions, function_call: { name: 'time' } }))
    await both.ask(runtime, chat('llamacpp/x', { functions, function_call: { name: 'time' } }))
    const [byName, byList] = bodies()
    expect(byName).toMatchObject({ tools, tool_choice: { type: 'function', function: { name: 'time' } } })
    expect(byList).toMatchObject({ tools: [tools[1]], tool_choice: 'required' })
  })

  it('leaves the choice to the model by saying nothing, or null', async () => {
    await both.ask(runtime, chat('vllm/x', { functions }))
    await both.ask(runtime, chat('vllm/x', { functions, function_call: null }))
    for (const body of bodies()) expect(body).toEqual(chat('x', { tools, parallel_tool_calls: false }))
  })

  it('may go on after calls and their results', async () => {
    const asked = (name: string, given: string) => ({
      role: 'assistant',
      content: null,
      function_call: { name, arguments: given },
    })
    const messages = [
      { role: 'user', content: 'Weather and time?' },
      asked('weather', '{"city":"Oslo"}'),
      { role: 'function', name: 'weather', content: 'rain' },
      { role: 'assistant', content: 'Rain. One moment.', function_call: null },
      asked('time', '{}'),
      { role: 'function', name: 'time', content: null },
      asked('weather', '{"city":"Rome"}'),
      { role: 'function', name: 'weather', content: 'sun' },
    ]
    upstream.script(json(200, chatAnswer('It rains at noon.')))
    const reply = await both.ask(runtime, { model: 'vllm/x', messages, functions })
    expect(answerOf(reply).choices[0]).toMatchObject({
      message: { content: 'It rains at noon.' },
      finish_reason: 'stop',
    })
    const called = (name: string, given: string, id: string) => ({
      role: 'assistant',
      content: null,
      tool_calls: [call(name, given, id)],
    })
    expect(bodies()[0]?.messages).toEqual([
      messages[0],
      called('weather', '{"city":"Oslo"}', 'call00001'),
      { role: 'tool', name: 'weather', content: 'rain', tool_call_id: 'call00001' },
      messages[3],
      called('time', '{}', 'call00004'),
      { role: 'tool', name: 'time', content: '', tool_call_id: 'call00004' },
      called('weather', '{"city":"Rome"}', 'call00006'),
      { role: 'tool', name: 'weather', content: 'sun', tool_call_id: 'call00006' },
    ])
  })

  it('may have moved to tools in the middle of a conversation', async () => {
    const messages = [
      { role: 'user', content: 'Weather?' },
      { role: 'assistant', content: null, function_call: { name: 'weather', arguments: '{}' } },
      { role: 'function', name: 'weather', content: 'rain' },
    ]
    const reply = await both.ask(runtime, { model: 'vllm/x', messages, tools })
    expect(answerOf(reply).choices[0]).toMatchObject({
      message: { tool_calls: [call('weather', '{"city":"Oslo"}')] },
      finish_reason: 'tool_calls',
    })
    expect(bodies()[0]).toMatchObject({ tools, messages: [{}, { tool_calls: [{}] }, { role: 'tool' }] })
  })

  it('gets the first of several calls, for which there is room', async () => {
    upstream.script(json(200, calling(call('weather', '{}'), call('time', '{}', 'call_2'))))
    const [choice] = answerOf(await both.ask(runtime, chat('vllm/x', { functions }))).choices
    expect(choice?.message.function_call).toEqual({ name: 'weather', arguments: '{}' })
    expect(choice?.message).not.toHaveProperty('tool_calls')
  })

  it('gets a stream with the name first, and then the arguments in pieces', async () => {
    upstream.script(streamed)
    const reply = await both.ask(runtime, chat('vllm/x', { functions, stream: true }))
    const chunks = chunksOf(reply)
    expect(chunks.flatMap(({ choices }) => choices.flatMap(({ delta }) => delta.function_call ?? []))).toEqual([
      { name: 'weather', arguments: '' },
      { arguments: '{"city":' },
      { arguments: '"Oslo"}' },
    ])
    expect(reply.text).not.toContain('tool_calls')
    expect(reply.text).not.toContain('call_2')
    expect(chunks.flatMap(({ choices }) => choices.flatMap((choice) => choice.finish_reason ?? []))).toEqual([
      'function_call',
    ])
    expect(eventsOf(reply.text).at(-1)?.data).toBe('[DONE]')
  })

  it('gets a stream of words, its usage, and an error in it as they are', async () => {
    const usage = `data: {"id":"u","object":"chat.completion.chunk","created":1,"model":"m","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}}\n\n`
    upstream.script(stream([...chatFrames('Hel', 'lo').slice(0, -1), usage, 'data: [DONE]\n\n']))
    const asked = chat('vllm/x', { functions, stream: true, stream_options: { include_usage: true } })
    const chunks = chunksOf(await both.ask(runtime, asked))
    expect(chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join('')).toBe('Hello')
    expect(chunks.at(-1)?.usage).toEqual({ prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 })
    upstream.script(stream([chunk({ role: 'assistant', content: 'Hel' })], 'reset'))
    const broken = await both.ask(runtime, asked)
    expect(eventsOf(broken.text).at(-1)?.data).toContain('"error"')
    expect(broken.text).not.toContain('[DONE]')
  })

  it('gets several choices with a call each', async () => {
    const choices = [0, 1].map((index) => ({ ...calling(call('weather', `{"n":${index}}`)).choices[0], index }))
    upstream.script(json(200, { ...chatAnswer(''), choices }))
    const reply = await both.ask(runtime, chat('vllm/x', { functions, n: 2 }))
    expect(answerOf(reply).choices.map(({ message }) => message.function_call?.arguments)).toEqual([
      '{"n":0}',
      '{"n":1}',
    ])
  })

  it('works with the model that comes with the gateway', async () => {
    const described = { ...weather, name: 'get_weather', parameters: { ...weather.parameters, required: ['city'] } }
    const question = { role: 'user', content: 'weather in Paris?' }
    const asked = { model: 'demo/tiny-chat', messages: [question], functions: [described], function_call: 'auto' }
    const called = { name: 'get_weather', arguments: '{"city": "Paris"}' }
    const { message, finish_reason: reason } = answerOf(await both.ask(runtime, asked)).choices[0] ?? {}
    expect({ called: message?.function_call, reason }).toEqual({ called, reason: 'function_call' })
    const pieces = chunksOf(await both.ask(runtime, { ...asked, stream: true })).flatMap(
      ({ choices }) => choices[0]?.delta.function_call ?? [],
    )
    expect(pieces[0]?.name).toBe('get_weather')
    expect(pieces.map((one) => one.arguments).join('')).toBe(called.arguments)
    const result = { role: 'function', name: 'get_weather', content: 'sunny' }
    const reply = await both.ask(runtime, { ...asked, messages: [question, message, result] })
    expect(answerOf(reply).choices[0]?.message.content).toEqual(expect.any(String))
  })

  it('is passed on untouched where functions are known, and so is the answer', async () => {
    const answer = JSON.stringify({
      ...chatAnswer(''),
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: null, function_call: { name: 'time', arguments: '{}' } },
          finish_reason: 'function_call',
        },
      ],
    })
    upstream.script(json(200, answer))
    for (const provider of ['openai', 'any']) {
      const sent =
        '{ "model":"PROVIDER/x", "messages":[{"role":"user","content":"hi"}],  "functions":[{"name":"time"}] }'
      const reply = await both.ask(runtime, sent.replace('PROVIDER', provider))
      expect(reply.text).toBe(answer)
      expect(upstream.seen.at(-1)?.body).toBe(sent.replace('PROVIDER/x', 'x'))
    }
  })

  it('is asked for in tools where functions are refused, the next time at once', async () => {
    const model = `any/refusing-${runtime}`
    upstream.script(refusing('functions'), json(200, calling(call('weather', '{}'))))
    for (const times of [1, 2]) {
      const reply = await both.ask(runtime, chat(model, { functions }))
      expect(answerOf(reply).choices[0]?.message.function_call?.name).toBe('weather')
      expect(upstream.seen).toHaveLength(times + 1)
    }
    expect(bodies()[0]).toHaveProperty('functions')
    for (const body of bodies().slice(1)) expect(body).toMatchObject({ tools, parallel_tool_calls: false })
  })

  it('stays with a model that refuses functions, since that says nothing about tools', async () => {
    upstream.script(refusing('functions'), json(200, calling(call('weather', '{}'))))
    for (const more of [{ functions }, { functions }, { tools }]) await both.ask(runtime, chat('paired', more))
    expect(bodies().map(({ model }) => model)).toEqual(['one', 'one', 'one', 'one'])
  })

  it('is asked without a limit of calls where that is refused', async () => {
    upstream.script(refusing('functions'), refusing('parallel_tool_calls'), json(200, calling(call('time', '{}'))))
    const reply = await both.ask(runtime, chat(`any/stricter-${runtime}`, { functions }))
    expect(answerOf(reply).choices[0]?.message.function_call?.name).toBe('time')
    expect(bodies().at(-1)).toEqual(chat(`stricter-${runtime}`, { tools }))
  })

  it('is asked for in tools where only the role of its results is refused', async () => {
    const message = "Unexpected role 'function' after role 'user'"
    upstream.script(json(400, { error: { message } }), json(200, chatAnswer('Rain.')))
    const messages = [
      { role: 'user', content: 'Weather?' },
      { role: 'function', name: 'weather', content: 'rain' },
    ]
    const reply = await both.ask(runtime, { model: `any/roles-${runtime}`, messages })
    expect(reply.status).toBe(200)
    expect(bodies()[1]?.messages).toMatchObject([{}, { role: 'tool', tool_call_id: 'call00001' }])
  })

  it('loses no function to a model whose unsupported fields may be left out', async () => {
    upstream.script(refusing('functions'), json(200, calling(call('time', '{}'))))
    const reply = await both.ask(runtime, chat('lenient', { functions }))
    expect(answerOf(reply).choices[0]?.message.function_call?.name).toBe('time')
    expect(bodies()[1]).toHaveProperty('tools')
  })

  it('gets a call in its own terms of a tool that the configuration puts in', async () => {
    upstream.script(json(200, calling(call('ours', '{}'))))
    const reply = await both.ask(runtime, chat('equipped', { functions }))
    expect(answerOf(reply).choices[0]).toMatchObject({
      message: { function_call: { name: 'ours' } },
      finish_reason: 'function_call',
    })
    expect(bodies()[0]).toEqual(chat('x', { tools: [override], parallel_tool_calls: false }))
  })

  it('hears of a refusal by the name of its own field', async () => {
    upstream.script(refusing('tools[0].function.parameters'))
    const reply = await both.ask(runtime, chat('vllm/x', { functions }))
    expect(errorOf(reply)).toMatchObject({
      message: "Unsupported parameter: 'functions[0].parameters' is not supported with this model.",
      param: 'functions[0].parameters',
    })
    expect(upstream.seen).toHaveLength(1)
  })

  it('is refused a choice that the model has no means for', async () => {
    const reply = await both.ask(runtime, chat('ollama/x', { functions, function_call: { name: 'time' } }))
    expect(errorOf(reply)).toMatchObject({ param: 'function_call', code: 'unsupported_parameter' })
    expect(upstream.seen).toHaveLength(0)
  })
})
