import { beforeEach, describe, expect, it } from 'vitest'
import { runtimes, serveBoth } from '../support/both.ts'
import { askOllama, lastSeen } from '../support/ollama.ts'
import { chatAnswer, json, type Script } from '../support/upstream.ts'

interface Asked {
  readonly messages: readonly { readonly content: unknown }[]
  readonly response_format?: unknown
}

/** As OpenAI's server is. */
const wantsTheWord: Script = (request, ...rest) => {
  const { messages, response_format: format } = JSON.parse(request.body) as Asked
  const isSaid = messages.some(({ content }) => /json/i.test(JSON.stringify(content)))
  const message =
    "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'."
  return format === undefined || isSaid
    ? json(200, chatAnswer('{"a":1}'))(request, ...rest)
    : json(400, { error: { message, type: 'invalid_request_error', param: 'messages', code: null } })(request, ...rest)
}

const { upstream, both } = serveBoth(
  'json-mode',
  (url) => ({
    providers: { openai: { type: 'openai', apiKey: 'env:KEY', baseURL: url } },
    retries: 0,
    cooldown: false,
  }),
  { script: wantsTheWord, env: { KEY: 'sk-1' } },
)

const word = 'Answer in JSON.'
const hi = { role: 'user', content: 'hi' }

describe.each(runtimes)('On %s, a client that wants JSON and does not say so in a message', (runtime) => {
  beforeEach(() => upstream.script(wantsTheWord))

  const messages = () => lastSeen(upstream).body.messages

  const asOllama = (path: string, body: object) =>
    askOllama(both, runtime, path, { model: 'openai/gpt-4o', format: 'json', stream: false, ...body })

  it('gets it in Ollama’s API from OpenAI', async () => {
    const chat = await asOllama('/api/chat', { messages: [hi] })
    expect(JSON.parse(chat.text)).toMatchObject({ message: { content: '{"a":1}' } })
    expect(messages()).toEqual([{ role: 'system', content: word }, hi])
    const generated = await asOllama('/api/generate', { prompt: 'hi', system: 'Be brief.' })
    expect(JSON.parse(generated.text)).toMatchObject({ response: '{"a":1}' })
    expect(messages()).toEqual([{ role: 'system', content: `Be brief.\n\n${word}` }, hi])
  })

  it('gets it in Gemini’s API from OpenAI', async () => {
    const generationConfig = { responseMimeType: 'application/json' }
    const body = { contents: [{ role: 'user', parts: [{ text: 'hi' }] }], generationConfig }
    const reply = await both.ask(runtime, body, '/v1beta/models/openai/gpt-4o:generateContent')
    expect(JSON.parse(reply.text)).toMatchObject({ candidates: [{ content: { parts: [{ text: '{"a":1}' }] } }] })
    expect(messages()).toEqual([{ role: 'system', content: word }, hi])
  })

  it('says nothing more where it is said, or where there is a schema', async () => {
    const said = [{ role: 'user', content: 'As json, please.' }]
    expect((await asOllama('/api/chat', { messages: said })).status).toBe(200)
    expect(messages()).toEqual(said)
    upstream.script(json(200, chatAnswer('{"a":1}')))
    const format = { type: 'object', properties: { a: { type: 'integer' } } }
    expect((await asOllama('/api/chat', { messages: [hi], format })).status).toBe(200)
    expect(messages()).toEqual([hi])
  })
})
