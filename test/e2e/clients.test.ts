import { InferenceClient } from '@huggingface/inference'
import { Ollama } from 'ollama'
import OpenAI, {
  APIError,
  AuthenticationError,
  BadRequestError,
  InternalServerError,
  NotFoundError,
  RateLimitError,
} from 'openai'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { Config } from '../../src/config/schema.ts'
import { exchangePath } from '../support/exchange.ts'
import { exchangeServer } from '../support/exchange-server.ts'
import { type GatewayOptions, type RunningGateway, startGateway } from '../support/gateway.ts'
import { recordedCase, replay } from '../support/replay.ts'
import {
  chatAnswer,
  chatFrames,
  chunk,
  type FakeUpstream,
  fakeUpstream,
  json,
  type Script,
  silence,
  stream,
} from '../support/upstream.ts'

const llama = 'llama-server-0.7.0'
const hello = 'Hello! How can I help you?'
const user = (content: string) => ({ role: 'user', content }) as const
const weather = {
  type: 'function',
  function: {
    name: 'get_weather',
    description: 'd',
    parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  },
} as const

const open: { close(): Promise<void> }[] = []
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()))
})

async function gatewayFor(config: Config, options?: GatewayOptions): Promise<RunningGateway> {
  const gateway = await startGateway(config, options)
  open.push(gateway)
  return gateway
}

/** A gateway in front of an upstream that does what it is told, and OpenAI's client in front of that. */
async function clientOf(scripts: readonly Script[], config: Config = {}, options?: GatewayOptions) {
  const upstream = await fakeUpstream(...scripts)
  open.push(upstream)
  const gateway = await gatewayFor(
    { providers: { up: { type: 'openai-compatible', baseURL: `${upstream.url}/v1` } }, retries: 0, ...config },
    options,
  )
  const client = new OpenAI({ baseURL: gateway.baseURL, apiKey: 'sk-of-the-client', maxRetries: 0 })
  return { upstream, gateway, client }
}

const recordedScripts = (...labels: string[]) => labels.map((label) => replay(recordedCase(llama, label)))
const chat = { model: 'up/tiny-chat', messages: [user('hi')] }

describe('the openai client', () => {
  it('gets a chat answer with its usage, its request id and who gave it', async () => {
    const { client } = await clientOf(recordedScripts('chat'))
    const { data, response, request_id } = await client.chat.completions.create(chat).withResponse()
    expect(data.choices[0]?.message.content).toBe(hello)
    expect(data.choices[0]?.finish_reason).toBe('stop')
    expect(data.usage?.total_tokens).toBe(24)
    expect(request_id).toMatch(/^req_[0-9a-f]{32}$/)
    expect(response.headers.get('x-samewire-model')).toBe('up/tiny-chat')
  })

  it('iterates over a stream', async () => {
    const { client } = await clientOf(recordedScripts('chat_stream'))
    let text = ''
    let tokens: number | undefined
    for await (const { choices, usage } of await client.chat.completions.create({ ...chat, stream: true })) {
      text += choices[0]?.delta.content ?? ''
      tokens = usage?.total_tokens ?? tokens
    }
    expect([text, tokens]).toEqual([hello, 24])
  })

  it('puts a stream together by its own strict helper', async () => {
    const { client } = await clientOf(recordedScripts('chat_stream'))
    const { choices, usage } = await client.chat.completions.stream(chat).finalChatCompletion()
    expect(choices[0]).toMatchObject({ finish_reason: 'stop', message: { role: 'assistant', content: hello } })
    expect(usage?.total_tokens).toBe(24)
  })

  it.each(['chat_tool_parallel', 'chat_tool_parallel_stream'])('gets parallel tool calls: %s', async (label) => {
    const { client } = await clientOf(recordedScripts(label))
    const body = { ...chat, tools: [weather] }
    const answer = label.endsWith('_stream')
      ? await client.chat.completions.stream(body).finalChatCompletion()
      : await client.chat.completions.create(body)
    const calls = answer.choices[0]?.message.tool_calls?.map((call) => call.type === 'function' && call.function)
    expect(calls).toMatchObject([
      { name: 'get_weather', arguments: expect.stringContaining('Paris') },
      { name: 'get_weather', arguments: expect.stringContaining('Rome') },
    ])
    expect(answer.choices[0]?.finish_reason).toBe('tool_calls')
  })

  it('runs a tool and brings its result back', async () => {
    const { client, upstream } = await clientOf(recordedScripts('chat_tool', 'chat_tool_result'))
    const asked: string[] = []
    const runner = client.chat.completions.runTools({
      ...chat,
      tools: [
        {
          type: 'function',
          function: {
            ...weather.function,
            parameters: { ...weather.function.parameters, required: ['city'] },
            parse: (text: string) => JSON.parse(text) as { city: string },
            function({ city }: { city: string }) {
              asked.push(city)
              return 'sunny'
            },
          },
        },
      ],
    })
    const wanted = JSON.parse(recordedCase(llama, 'chat_tool_result').response.body) as OpenAI.ChatCompletion
    expect(await runner.finalContent()).toBe(wanted.choices[0]?.message.content)
    expect(asked).toEqual(['Paris'])
    expect(JSON.parse(upstream.seen[1]?.body ?? '')).toMatchObject({
      model: 'tiny-chat',
      messages: [user('hi'), { role: 'assistant' }, { role: 'tool', content: 'sunny' }],
    })
  })

  it('completes a prompt on the legacy route, whole and streamed', async () => {
    const { client } = await clientOf(recordedScripts('completions', 'completions_stream'))
    const body = { model: 'up/tiny-chat', prompt: 'Once upon' }
    expect((await client.completions.create(body)).choices[0]?.text).toBe(' and ara":_y')
    let text = ''
    for await (const { choices } of await client.completions.create({ ...body, stream: true })) {
      text += choices[0]?.text ?? ''
    }
    expect(text).toBe(' and ara":')
  })

  it('lists the models and retrieves one whose name holds slashes and colons', async () => {
    const name = 'meta-llama/Llama-3.1-8B-Instruct:fastest'
    const { client } = await clientOf(recordedScripts('models'), { models: { [name]: 'up/tiny-chat' } })
    const ids: string[] = []
    for await (const model of client.models.list()) ids.push(model.id)
    expect(ids).toEqual([name, 'up/tiny-chat'])
    expect(await client.models.retrieve(name)).toMatchObject({ id: name, object: 'model', owned_by: 'up' })
    expect(await client.models.retrieve('up/tiny-chat')).toMatchObject({ id: 'up/tiny-chat', created: 1795402706 })
    await expect(client.models.retrieve('up/nope')).rejects.toBeInstanceOf(NotFoundError)
  })

  it.each<[string, Script, abstract new (...given: never[]) => APIError, object]>([
    [
      'a model that is missing',
      json(404, { error: { message: 'The model `tiny-chat` does not exist', code: 'model_not_found' } }),
      NotFoundError,
      { status: 404, code: 'model_not_found', type: 'invalid_request_error', param: null },
    ],
    [
      'a prompt that is too long',
      replay(recordedCase(llama, 'err_context')),
      BadRequestError,
      { status: 400, code: 'context_length_exceeded', message: expect.stringContaining('maximum context length') },
    ],
    [
      'too many requests',
      json(429, { error: { message: 'Rate limit reached', type: 'tokens' } }, { 'retry-after': '7' }),
      RateLimitError,
      { status: 429, code: 'rate_limit_exceeded', type: 'tokens' },
    ],
    [
      "the gateway's own key being wrong",
      json(401, { error: { message: 'Incorrect API key provided', code: 'invalid_api_key' } }),
      InternalServerError,
      { status: 502, code: 'upstream_credentials_rejected' },
    ],
    ['a server that is down', json(503, ''), InternalServerError, { status: 503, code: 'capacity_exhausted' }],
  ])('tells %s by class, status and code', async (_, script, kind, fields) => {
    const { client } = await clientOf([script])
    for (const streamed of [false, true]) {
      const thrown: unknown = await client.chat.completions.create({ ...chat, stream: streamed }).catch((e) => e)
      expect(thrown).toBeInstanceOf(kind)
      expect(thrown).toMatchObject({ requestID: expect.stringMatching(/^req_/), ...fields })
      if (kind === RateLimitError) expect((thrown as APIError).headers?.get('retry-after')).toBe('7')
    }
  })

  it("tells that the client's own key is wrong", async () => {
    const { client } = await clientOf(
      [],
      {},
      { access: { mode: 'keys', keys: [{ name: 'K', secret: 'sk-the-right-one' }] } },
    )
    const thrown: unknown = await client.chat.completions.create(chat).catch((error) => error)
    expect(thrown).toBeInstanceOf(AuthenticationError)
    expect(thrown).toMatchObject({ status: 401, code: 'invalid_api_key' })
    expect((thrown as APIError).message).not.toContain('sk-of-the-client')
  })

  it('asks once only when the quota is spent, although it would ask three times', async () => {
    const spent = { message: 'You exceeded your current quota', type: 'insufficient_quota', code: 'insufficient_quota' }
    const { client, upstream } = await clientOf([json(429, { error: spent })])
    const thrown: unknown = await client.chat.completions.create(chat, { maxRetries: 2 }).catch((error) => error)
    expect(thrown).toMatchObject({ status: 429, code: 'insufficient_quota' })
    expect(upstream.seen.length).toBe(1)
  })

  it('hears of a stream that breaks off, instead of taking a part for the whole', async () => {
    const { client } = await clientOf([stream([chunk({ role: 'assistant', content: 'Hel' }), 'data: {"cho'])])
    let text = ''
    const read = async () => {
      for await (const { choices } of await client.chat.completions.create({ ...chat, stream: true })) {
        text += choices[0]?.delta.content ?? ''
      }
    }
    const thrown: unknown = await read().catch((error) => error)
    expect(thrown).toBeInstanceOf(APIError)
    expect(thrown).toMatchObject({ code: 'upstream_stream_truncated', type: 'server_error' })
    expect(text).toBe('Hel')
  })

  it('that breaks out of a stream stops the upstream', async () => {
    const pieces = chatFrames('Hel', 'lo').slice(0, 2)
    const { client, upstream } = await clientOf([stream(pieces, 'silence')])
    for await (const { choices } of await client.chat.completions.create({ ...chat, stream: true })) {
      expect(choices[0]?.delta.role).toBe('assistant')
      break
    }
    await upstream.seen[0]?.abandoned
  })

  it('that gives up before the answer stops the upstream', async () => {
    const leave = new AbortController()
    const { client, upstream } = await clientOf([
      (request, response, socket) => {
        leave.abort()
        return silence(request, response, socket)
      },
    ])
    await expect(client.chat.completions.create(chat, { signal: leave.signal })).rejects.toThrow(/abort/i)
    await upstream.seen[0]?.abandoned
  })

  it('is answered by the fallback for a model of 2023, and can see by whom', async () => {
    const { client, upstream } = await clientOf([json(200, chatAnswer('hi', 'tiny-chat'))], {
      fallback: 'up/tiny-chat',
    })
    const { data, response } = await client.chat.completions
      .create({ ...chat, model: 'gpt-3.5-turbo-0301' })
      .withResponse()
    expect(data.model).toBe('tiny-chat')
    expect(response.headers.get('x-samewire-model')).toBe('up/tiny-chat')
    expect(response.headers.get('x-samewire-reason')).toBe('model_not_found')
    expect(JSON.parse(upstream.seen.at(-1)?.body ?? '')).toMatchObject({ model: 'tiny-chat' })
  })
})

describe("Ollama's client", () => {
  let server: FakeUpstream
  beforeAll(async () => {
    server = await exchangeServer()
  })
  afterAll(() => server.close())

  const ollama = (label: string) =>
    new Ollama({ host: `${server.url}${exchangePath({ answer: ['ollama-0.32.15-native', label] })}` })
  const asked = { model: 'tiny-chat', messages: [user('hi')] }

  it('takes the recorded server for a real one', async () => {
    expect((await ollama('chat').chat(asked)).message.content).toBe(hello)
    let text = ''
    for await (const { message } of await ollama('chat_stream').chat({ ...asked, stream: true }))
      text += message.content
    expect(text).toBe(hello)
    expect((await ollama('generate').generate({ model: 'tiny-chat', prompt: 'hi' })).response).toBe(hello)
  })

  it('gets tool calls, thoughts, lists and errors from it', async () => {
    const { message } = await ollama('chat_tool').chat({ ...asked, tools: [weather] as never })
    expect(message.tool_calls?.[0]?.function).toMatchObject({ name: 'get_weather', arguments: { city: 'Paris' } })
    expect((await ollama('chat_think').chat(asked)).message.thinking).toBe('The user says: ping\n')
    expect((await ollama('chat').list()).models.map(({ name }) => name)).toContain('tiny-chat:latest')
    expect((await ollama('chat').show({ model: 'tiny-chat' })).capabilities).toContain('tools')
    await expect(ollama('err_model').chat(asked)).rejects.toMatchObject({
      status_code: 404,
      error: "model 'davinci-codex' not found",
    })
  })

  it("finds the same in it as OpenAI's client does through the gateway", async () => {
    const baseURL = `${server.url}${exchangePath({ answer: ['ollama-0.32.15-native', 'chat_tool_parallel_stream'] })}`
    const gateway = await gatewayFor({ providers: { up: { type: 'ollama', baseURL } } })
    const client = new OpenAI({ baseURL: gateway.baseURL, apiKey: 'x' })
    const body = { ...chat, tools: [weather], stream_options: { include_usage: true } }
    const answer = await client.chat.completions.stream(body).finalChatCompletion()
    const given = answer.choices[0]?.message.tool_calls?.map((call) => call.type === 'function' && call.function)
    const lines = await ollama('chat_tool_parallel_stream').chat({ ...asked, stream: true })
    const wanted: { name: string; arguments: string }[] = []
    for await (const { message } of lines) {
      for (const { function: called } of message.tool_calls ?? []) {
        wanted.push({ name: called.name, arguments: JSON.stringify(called.arguments) })
      }
    }
    expect(wanted.length).toBe(2)
    expect(given).toMatchObject(wanted)
    expect(answer.usage?.total_tokens).toBe(318)
  })
})

describe("Hugging Face's client", () => {
  const clientAt = (endpointUrl: string) => new InferenceClient('hf_x', { endpointUrl, retry_on_error: false })

  it('gets a chat answer', async () => {
    const { gateway } = await clientOf(recordedScripts('chat'))
    const answer = await clientAt(gateway.baseURL).chatCompletion(chat)
    expect(answer.choices[0]?.message.content).toBe(hello)
    expect(answer.usage.total_tokens).toBe(24)
  })

  it('reads a stream', async () => {
    const { gateway } = await clientOf(recordedScripts('chat_stream'))
    let text = ''
    for await (const { choices } of clientAt(gateway.baseURL).chatCompletionStream(chat)) {
      text += choices[0]?.delta.content ?? ''
    }
    expect(text).toBe(hello)
  })

  it('hears why a request was refused', async () => {
    const { gateway } = await clientOf([json(404, { error: { message: 'model not found' } })])
    const thrown: unknown = await clientAt(gateway.baseURL)
      .chatCompletion(chat)
      .catch((error) => error)
    expect(thrown).toMatchObject({ httpResponse: { status: 404, body: { error: { code: 'model_not_found' } } } })
  })
})

describe('the model that comes with the gateway, when nothing is configured', () => {
  let gateway: RunningGateway
  let client: OpenAI
  beforeAll(async () => {
    gateway = await startGateway({})
    client = new OpenAI({ baseURL: gateway.baseURL, apiKey: 'sk-any' })
  })
  afterAll(() => gateway.close())
  const demo = { model: 'demo/tiny-chat', messages: [user('hi')], temperature: 0 }

  it.each(['demo/tiny-chat', 'gpt-3.5-turbo', 'davinci-codex'])('answers to %s and says what it is', async (model) => {
    const { data, response } = await client.chat.completions.create({ ...demo, model }).withResponse()
    expect(data.choices[0]?.message.content).toBe(hello)
    expect(data.model).toBe('demo/tiny-chat')
    expect(data.usage).toMatchObject({ prompt_tokens: 13, completion_tokens: 11, total_tokens: 24 })
    expect(response.headers.get('x-samewire-model')).toBe('demo/tiny-chat')
    expect(response.headers.get('x-samewire-notice')).toMatch(/demonstration model/)
    expect(response.headers.get('x-samewire-reason')).toBe(model === 'demo/tiny-chat' ? null : 'model_not_found')
  })

  it.each([
    ['a greeting', 'hi', {}],
    ['a tool call', 'weather in Paris?', { tools: [weather] }],
    ['parallel tool calls', 'weather in Paris and Rome?', { tools: [weather] }],
    ['reasoning', 'ping /think', {}],
  ])('says the same in a stream as whole: %s', async (_, content, fields) => {
    const body = { ...demo, messages: [user(content)], ...fields }
    const whole = (await client.chat.completions.create(body)).choices[0]
    const streamed = (await client.chat.completions.stream(body).finalChatCompletion()).choices[0]
    const say = ({ message, finish_reason }: NonNullable<typeof whole>) => ({
      content: message.content ?? '',
      calls: message.tool_calls?.map(
        (call) => call.type === 'function' && [call.function.name, call.function.arguments],
      ),
      finish_reason,
    })
    expect(whole && say(whole)).toEqual(streamed && say(streamed))
  })

  it('calls a tool', async () => {
    const body = { ...demo, messages: [user('weather in Paris?')], tools: [weather] }
    const { choices } = await client.chat.completions.create(body)
    expect(choices[0]).toMatchObject({
      finish_reason: 'tool_calls',
      message: { tool_calls: [{ type: 'function', function: { name: 'get_weather' } }] },
    })
    const [call] = choices[0]?.message.tool_calls ?? []
    expect(JSON.parse((call?.type === 'function' && call.function.arguments) || '')).toEqual({ city: 'Paris' })
  })

  it('thinks when it is told to, apart from what it says', async () => {
    const { choices } = await client.chat.completions.create({ ...demo, messages: [user('ping /think')] })
    expect(choices[0]?.message).toMatchObject({ content: 'pong', reasoning_content: 'The user says: ping\n' })
  })

  it('is listed, and found by its own name alone', async () => {
    const ids: string[] = []
    for await (const { id } of client.models.list()) ids.push(id)
    expect(ids).toEqual(['demo/tiny-chat'])
    const answer = await client.chat.completions.create({ ...demo, model: 'tiny-chat' })
    expect(answer.choices[0]?.message.content).toBe(hello)
  })
})
