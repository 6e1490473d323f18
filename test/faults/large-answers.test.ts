import { describe, expect, it } from 'vitest'
import { chat, errorOf } from '../support/ask.ts'
import { runtimes, serveBoth } from '../support/both.ts'
import { chatAnswer, json } from '../support/upstream.ts'

const { upstream, both } = serveBoth('large-answers', (baseURL) => ({
  providers: { up: { type: 'openai-compatible', baseURL } },
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
