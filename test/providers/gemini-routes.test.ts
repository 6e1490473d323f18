import { beforeEach, describe, expect, it } from 'vitest'
import { chat } from '../support/ask.ts'
import { runtimes } from '../support/both.ts'
import { gatewayStarter } from '../support/gateway.ts'
import { events, geminiKey as key, said, serveGemini } from '../support/gemini.ts'
import { chatAnswer, chunk, json, stream } from '../support/upstream.ts'

const { upstream, both } = serveGemini('gemini-routes')
const bodies = () => upstream.seen.map(({ body }) => JSON.parse(body) as Record<string, unknown>)

beforeEach(() => {
  upstream.seen.length = 0
})

describe.each(runtimes)('Beside chats, Gemini on %s', (runtime) => {
  it('completes prompts of the legacy route, whole and streamed', async () => {
    upstream.script(json(200, said([{ text: 'a time' }])))
    const asked = { model: 'up/gemini-3-flash', prompt: 'Once upon' }
    const whole = await both.ask(runtime, asked, '/completions')
    expect(JSON.parse(whole.text)).toMatchObject({ object: 'text_completion', choices: [{ text: 'a time' }] })
    upstream.script(stream(events(said([{ text: 'a time' }]))))
    const reply = await both.ask(runtime, { ...asked, stream: true }, '/completions')
    expect(reply.text).toContain('"text":"a time"')
    expect(upstream.seen.at(-1)?.path).toContain(':streamGenerateContent')
  })

  it('counts the tokens of a response', async () => {
    upstream.script(json(200, { totalTokens: 31 }))
    const asked = { model: 'up/gemini-3-flash', input: 'hi', instructions: 'Be brief.' }
    const reply = await both.ask(runtime, asked, '/responses/input_tokens')
    expect(JSON.parse(reply.text)).toEqual({ object: 'response.input_tokens', input_tokens: 31 })
    expect(upstream.seen.at(-1)).toMatchObject({
      path: '/v1beta/models/gemini-3-flash:countTokens',
      headers: { 'x-goog-api-key': key },
    })
    expect(bodies().at(-1)).toEqual({
      generateContentRequest: {
        model: 'models/gemini-3-flash',
        systemInstruction: { parts: [{ text: 'Be brief.' }] },
        contents: [{ role: 'user', parts: [{ text: 'hi' }] }],
      },
    })
  })

  it("embeds and draws over its endpoint in OpenAI's format, with the key as that wants it", async () => {
    upstream.script(
      json(200, { object: 'list', data: [{ object: 'embedding', index: 0, embedding: [1, 2] }], model: 'e' }),
    )
    const embedded = await both.ask(runtime, { model: 'up/gemini-embedding-001', input: 'hi' }, '/embeddings')
    expect(embedded.status, embedded.text).toBe(200)
    upstream.script(json(200, { created: 1, data: [{ b64_json: 'iVBORw0KGgo=' }] }))
    const drawn = await both.ask(runtime, { model: 'up/imagen-4', prompt: 'a cat' }, '/images/generations')
    expect(drawn.status, drawn.text).toBe(200)
    expect(upstream.seen.map(({ path }) => path)).toEqual([
      '/v1beta/openai/embeddings',
      '/v1beta/openai/images/generations',
    ])
    for (const { headers } of upstream.seen) {
      expect(headers.authorization).toBe(`Bearer ${key}`)
      expect(headers).not.toHaveProperty('x-goog-api-key')
    }
  })

  it("chats over that endpoint too with api: 'openai', and puts its filtered answers right", async () => {
    const filtered = { index: 0, finish_reason: 'content_filter: PROHIBITED_CONTENT' }
    upstream.script(json(200, { ...chatAnswer(''), choices: [filtered] }))
    const reply = await both.ask(runtime, chat('compat/gemini-3-flash', { reasoning_effort: 'low' }))
    expect(reply.status, reply.text).toBe(200)
    expect(JSON.parse(reply.text).choices).toMatchObject([
      { message: { content: '' }, finish_reason: 'content_filter' },
    ])
    expect(upstream.seen[0]).toMatchObject({
      path: '/v1beta/openai/chat/completions',
      headers: { authorization: `Bearer ${key}` },
    })
    expect(bodies()[0]).toEqual(chat('gemini-3-flash', { reasoning_effort: 'low' }))
    upstream.script(stream([chunk({ role: 'assistant', content: 'Hi' }), chunk({}, 'content_filter: OTHER')]))
    const streamed = await both.ask(runtime, chat('compat/gemini-3-flash', { stream: true }))
    expect(streamed.text).toContain('"finish_reason":"content_filter"')
  })

  it('is sent no details of thoughts there', async () => {
    upstream.script(json(200, chatAnswer('Hi')))
    const call = { id: 'call_1', type: 'function', function: { name: 'f', arguments: '{}' } }
    const extra_content = { google: { thought_signature: 'c2ln' } }
    const answered = { role: 'assistant', content: 'a', tool_calls: [{ ...call, extra_content }] }
    const reasoning_details = [{ type: 'reasoning.encrypted', data: 's', format: 'google-gemini-v1', index: 0 }]
    const messagesWith = (more: object) => [
      { role: 'user', content: 'hi' },
      { ...answered, ...more },
      { role: 'tool', tool_call_id: 'call_1', content: 'ok' },
    ]
    const asked = { model: 'compat/gemini-3-flash', messages: messagesWith({ reasoning_details }), seed: 1 }
    expect((await both.ask(runtime, asked)).status).toBe(200)
    expect(bodies().at(-1)).toEqual({ model: 'gemini-3-flash', messages: messagesWith({}), seed: 1 })
  })

  it('gets back the signatures of its calls from a conversation of responses', async () => {
    const call = { functionCall: { id: 'fc1', name: 'weather', args: {} }, thoughtSignature: 'sig-1' }
    upstream.script(json(200, said([call])))
    const asked = {
      model: 'up/gemini-3-flash',
      tools: [{ type: 'function', name: 'weather', parameters: { type: 'object', properties: {} } }],
      ...{ store: false, include: ['reasoning.encrypted_content'] },
    }
    const question = { role: 'user', content: 'hi' }
    const first = await both.ask(runtime, { ...asked, input: [question] }, '/responses')
    const { output } = JSON.parse(first.text) as { output: { type: string }[] }
    expect(output.map(({ type }) => type)).toEqual(['reasoning', 'function_call'])
    const result = { type: 'function_call_output', call_id: 'fc1', output: 'sunny' }
    await both.ask(runtime, { ...asked, input: [question, ...output, result] }, '/responses')
    const [, model] = (bodies().at(-1)?.contents ?? []) as { parts: object[] }[]
    expect(model?.parts).toEqual([call])
  })
})

describe('The list of Gemini', () => {
  const start = gatewayStarter()

  it('is read page by page, and tells what its models can hold', async () => {
    const entry = (name: string, methods: readonly string[], more: object = {}) => ({
      ...{ name: `models/${name}`, inputTokenLimit: 1_048_576, outputTokenLimit: 65_536 },
      supportedGenerationMethods: methods,
      ...more,
    })
    const first = entry('gemini-3-flash', ['generateContent', 'countTokens'], { thinking: true })
    const rest = [entry('gemini-embedding-001', ['embedContent']), entry('gemini-live', ['bidiGenerateContent'])]
    upstream.script((request, ...others) => {
      const page = request.path.includes('pageToken=p2') ? { models: rest } : { models: [first], nextPageToken: 'p2' }
      return json(200, page)(request, ...others)
    })
    const providers = { up: { type: 'gemini', baseURL: upstream.url, apiKey: 'env:KEY' } }
    const { baseURL } = await start({ providers }, { env: { KEY: key } })
    const { data } = (await (await fetch(`${baseURL}/models`)).json()) as { data: object[] }
    expect(upstream.seen.map(({ path }) => path)).toEqual([
      '/v1beta/models?pageSize=1000',
      '/v1beta/models?pageSize=1000&pageToken=p2',
    ])
    expect(upstream.seen[0]?.headers['x-goog-api-key']).toBe(key)
    expect(data).toMatchObject([
      {
        ...{ id: 'up/gemini-3-flash', context_length: 1_048_576, max_output_tokens: 65_536 },
        capabilities: { reasoning: true },
      },
      { id: 'up/gemini-embedding-001', architecture: { output_modalities: ['embeddings'] } },
    ])
  })
})
