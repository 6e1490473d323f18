import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { chat, errorOf } from '../support/ask.ts'
import { runtimes, serveBoth } from '../support/both.ts'
import { chatAnswer, json, type Script } from '../support/upstream.ts'

const { upstream, both } = serveBoth('large-answers', (baseURL) => ({
  providers: { up: { type: 'openai-compatible', baseURL }, spare: { type: 'openai-compatible', baseURL } },
  models: {
    patient: { deployments: ['up/m'], retries: 2 },
    chained: { deployments: ['up/m'], fallbacks: ['spare/m'], retries: 2 },
  },
  retries: 0,
}))

const answer = chatAnswer('Hello') as { choices: object[] }
const withMore = (more: object) => JSON.stringify({ ...answer, choices: [{ ...answer.choices[0], ...more }] })
const withField = (field: string) => `${JSON.stringify(answer).slice(0, -1)},"extra":${field}}`

/** What a model thought of at each token. */
const alternatives = (at: number) =>
  Array.from({ length: 20 }, (_, rank) => ({ token: ` word${(at + rank) % 5_000}`, logprob: -rank, bytes: [32, 119] }))

const whole = {
  'the alternatives to each of its tokens': withMore({
    logprobs: { content: Array.from({ length: 8_000 }, (_, at) => ({ top_logprobs: alternatives(at) })) },
  }),
  'alternatives as keys': withMore({
    logprobs: Array.from({ length: 26_000 }, (_, at) => ({ [` word${at}`]: -1, ' and': -2, ' the': -3, ' of': -4 })),
  }),
  'a long text full of quotes': withMore({ message: { role: 'assistant', content: 'a "b" — c\n'.repeat(150_000) } }),
  'an image': withMore({ message: { role: 'assistant', content: null, images: ['iVBORw0K'.repeat(200_000)] } }),
  'numbers of one digit': withField(`[${'0,'.repeat(1_000_000)}0]`),
}

const holding = {
  'lists in a list': withField(`[${'[],'.repeat(4_000_000)}[]]`),
  'objects with different keys': withField(`[${Array.from({ length: 90_000 }, (_, at) => `{"k${at}":0}`)}]`),
  'one object with different keys': withField(`{${Array.from({ length: 120_000 }, (_, at) => `"k${at}":0`)}}`),
}

/** The start of an answer of 72 MB, until nobody reads it any more. */
const endless: Script = async (_request, response) => {
  response.writeHead(200, { 'content-type': 'application/json' })
  const piece = `{"data":[${'0.123456789,'.repeat(100_000)}`
  for (let sent = 0; sent < 60 && !response.destroyed; sent++) {
    if (!response.write(piece)) await Promise.race([once(response, 'drain'), once(response, 'close')])
  }
  response.end()
}

describe.each(runtimes)('An answer of more than 64 MB (%s)', (runtime) => {
  it('to many inputs is asked for once, and the client is told what to ask for less of', async () => {
    upstream.seen.length = 0
    upstream.script(endless)
    const reply = await both.ask(runtime, { model: 'patient', input: ['a', 'b'] }, '/embeddings')
    expect([reply.status, reply.headers.get('x-should-retry'), upstream.seen.length]).toEqual([502, 'false', 1])
    expect(errorOf(reply)).toEqual({
      message: "up sent an answer of more than 64 MB. 'input' asks for too much at once.",
      type: 'server_error',
      param: 'input',
      code: 'upstream_invalid_response',
    })
  })

  it('to one question is asked for once, and then asked of another deployment', async () => {
    upstream.seen.length = 0
    upstream.script(endless, json(200, answer))
    const reply = await both.ask(runtime, chat('chained'))
    expect([reply.status, reply.headers.get('x-samewire-model')]).toEqual([200, 'spare/m'])
    expect(upstream.seen.length).toBe(2)
  })
})

describe.each(runtimes)('An answer of more than 1 MB (%s)', (runtime) => {
  it.each(Object.entries(whole))('reaches the client as it is with %s', async (_, body) => {
    expect(body.length).toBeGreaterThan(1024 * 1024)
    upstream.script(json(200, body))
    const reply = await both.ask(runtime, chat('up/m'))
    expect(reply.status).toBe(200)
    expect(reply.text === body).toBe(true)
  })

  it.each(Object.entries(holding))('is refused if it would hold the gateway up: %s', async (_, body) => {
    upstream.script(json(200, body))
    const reply = await both.ask(runtime, chat('up/m'))
    expect(reply.status).toBe(502)
    expect(errorOf(reply)).toMatchObject({
      code: 'upstream_invalid_response',
      message: expect.stringMatching(/would take too long to read/),
    })
  })
})
