import { beforeEach, describe, expect, it } from 'vitest'
import type { Config } from '../../src/config/schema.ts'
import { chat, errorOf, eventsOf } from '../support/ask.ts'
import { runtimes, serveBoth } from '../support/both.ts'
import { chatAnswer, json, type Script } from '../support/upstream.ts'

const configOf = (url: string): Config => ({
  providers: {
    serve: { type: 'huggingface', apiKey: 'env:KEY', endpointUrl: url, engine: 'transformers' },
    half: { type: 'deepseek', apiKey: 'env:KEY', baseURL: url },
    any: { type: 'openai-compatible', baseURL: `${url}/any` },
  },
  models: { relieved: { deployments: ['serve/x'], fallbacks: ['any/y'] } },
})

const { upstream, both } = serveBoth('structured', configOf, { env: { KEY: 'k-of-the-provider' } })

const schema = {
  type: 'object',
  properties: { city: { type: 'string' } },
  required: ['city'],
  additionalProperties: false,
}
const format = (own: object = schema) => ({
  type: 'json_schema',
  json_schema: { name: 'city', strict: true, schema: own },
})
const asked = (more: object = {}) => ({ response_format: format(), ...more })

interface Sent {
  readonly messages: readonly { readonly role: string; readonly content: string }[]
  readonly stream?: boolean
  readonly response_format?: unknown
}
const sent = () => upstream.seen.filter(({ method }) => method === 'POST').map(({ body }) => JSON.parse(body) as Sent)
const contentOf = (text: string) =>
  (JSON.parse(text) as { choices: { message: { content: string } }[] }).choices[0]?.message.content
const saying = (...answers: string[]): Script[] => answers.map((answer) => json(200, chatAnswer(answer)))

const right = '{"city":"Paris"}'
const wrong = '{"town":"Paris"}'

describe.each(runtimes)('A schema that the upstream would ignore, on %s,', (runtime) => {
  beforeEach(() => {
    upstream.seen.length = 0
  })

  it('is put to the model in words', async () => {
    upstream.script(...saying(right))
    const reply = await both.ask(runtime, chat('serve/x', asked()))
    expect([reply.status, contentOf(reply.text)]).toEqual([200, right])
    const [request] = sent()
    expect(request?.messages.map(({ role }) => role)).toEqual(['system', 'user'])
    expect(request?.messages[0]?.content).toContain(JSON.stringify(schema))
    expect(request).not.toHaveProperty('response_format')
  })

  it('goes behind the instructions of the client, since some templates take only one message of them', async () => {
    upstream.script(...saying(right))
    const messages = [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'hi' },
    ]
    await both.ask(runtime, { ...chat('serve/x', asked()), messages })
    expect(sent()[0]?.messages).toHaveLength(2)
    expect(sent()[0]?.messages[0]?.content).toMatch(/^Be brief\.\n\n/)
  })

  it.each([
    ['fences', `\`\`\`json\n${right}\n\`\`\``],
    ['words', `Here it is: ${right} I hope it helps.`],
    ['white space', `\n ${right}\n`],
  ])('is kept to without the %s around the answer', async (_what, answer) => {
    upstream.script(...saying(answer))
    expect(contentOf((await both.ask(runtime, chat('serve/x', asked()))).text)).toBe(right)
    expect(sent()).toHaveLength(1)
  })

  it('is asked for once more with what is wrong, and the usage is that of both', async () => {
    upstream.script(...saying(wrong, right))
    const reply = await both.ask(runtime, chat('serve/x', asked()))
    expect([reply.status, contentOf(reply.text)]).toEqual([200, right])
    const [, second] = sent()
    expect(second?.messages.slice(-2)).toEqual([
      { role: 'assistant', content: wrong },
      { role: 'user', content: expect.stringContaining("$ lacks 'city'") },
    ])
    expect(JSON.parse(reply.text)).toMatchObject({
      usage: { prompt_tokens: 6, completion_tokens: 4, total_tokens: 10 },
    })
  })

  it('is not told as kept to if it wasn’t twice', async () => {
    upstream.script(...saying(wrong, 'no JSON at all'))
    const reply = await both.ask(runtime, chat('serve/x', asked()))
    expect(reply.status).toBe(502)
    expect(errorOf(reply)).toMatchObject({
      message: expect.stringContaining('it is no valid JSON'),
      type: 'server_error',
      param: 'response_format',
      code: 'upstream_invalid_response',
    })
    expect(reply.headers.get('x-should-retry')).toBe('false')
    expect(sent()).toHaveLength(2)
  })

  it('goes to another deployment then', async () => {
    upstream.script(...saying(wrong, wrong, right))
    const reply = await both.ask(runtime, chat('relieved', asked()))
    expect([reply.status, reply.headers.get('x-samewire-model')]).toEqual([200, 'any/y'])
    expect(sent()[2]).toMatchObject({ response_format: format() })
  })

  it('comes as a stream when the whole answer fits', async () => {
    upstream.script(...saying(wrong, right))
    const reply = await both.ask(
      runtime,
      chat('serve/x', asked({ stream: true, stream_options: { include_usage: true } })),
    )
    const events = eventsOf(reply.text)
    expect(events.at(-1)?.data).toBe('[DONE]')
    const chunks = events
      .slice(0, -1)
      .map(({ data }) => JSON.parse(data) as { choices: { delta: { content?: string } }[] })
    expect(chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join('')).toBe(right)
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { total_tokens: 10 } })
    expect(sent().map(({ stream }) => stream ?? false)).toEqual([false, false])
  })

  it('fails before a stream has begun', async () => {
    upstream.script(...saying(wrong, wrong))
    const reply = await both.ask(runtime, chat('serve/x', asked({ stream: true })))
    expect([reply.status, errorOf(reply).code]).toEqual([502, 'upstream_invalid_response'])
  })

  it('is enforced by half where the upstream can do that', async () => {
    upstream.script(...saying(right))
    expect((await both.ask(runtime, chat('half/x', asked()))).status).toBe(200)
    expect(sent()[0]).toMatchObject({ response_format: { type: 'json_object' } })
  })

  it.each(['serve', 'half'])('is kept to also in the form of llama.cpp and Together, by %s', async (provider) => {
    upstream.script(...saying(wrong, right))
    const own = { response_format: { type: 'json_object', schema } }
    const reply = await both.ask(runtime, chat(`${provider}/x`, own))
    expect([reply.status, contentOf(reply.text)]).toEqual([200, right])
    expect(sent()[0]?.messages[0]?.content).toContain(JSON.stringify(schema))
  })

  it('can be any object', async () => {
    upstream.script(...saying('[1]', '{"a":1}'))
    const reply = await both.ask(runtime, chat('serve/x', { response_format: { type: 'json_object' } }))
    expect(contentOf(reply.text)).toBe('{"a":1}')
  })

  it('leaves an answer that was cut off as it is, as OpenAI does', async () => {
    const cut = chatAnswer('{"ci') as { choices: object[] }
    upstream.script(json(200, { ...cut, choices: [{ ...cut.choices[0], finish_reason: 'length' }] }))
    const reply = await both.ask(runtime, chat('serve/x', asked()))
    expect([reply.status, contentOf(reply.text), sent().length]).toEqual([200, '{"ci', 1])
  })

  it('is refused if it can’t be checked', async () => {
    const own = { type: 'object', properties: { zip: { type: 'string', pattern: '^(\\d+)+$' } } }
    const reply = await both.ask(runtime, chat('serve/x', { response_format: format(own) }))
    expect([reply.status, errorOf(reply).param, errorOf(reply).code]).toEqual([
      400,
      'response_format',
      'unsupported_parameter',
    ])
    expect(sent()).toEqual([])
  })

  it('is kept to by each of several choices', async () => {
    upstream.script(...saying(right))
    const reply = await both.ask(runtime, chat('serve/x', asked({ n: 2 })))
    const { choices } = JSON.parse(reply.text) as { choices: { index: number }[] }
    expect(choices.map(({ index }) => index)).toEqual([0, 1])
  })
})
