import { describe, expect, it } from 'vitest'
import { chat } from '../support/ask.ts'
import { runtimes, serveBoth } from '../support/both.ts'
import { chatAnswer, json } from '../support/upstream.ts'

const headers = {
  'content-type': 'application/json; charset=utf-8',
  accept: 'application/json',
  'user-agent': 'our-program/1',
  'x-host': 'elsewhere.test',
  'accept-encoding': 'identity',
}

const { upstream, both } = serveBoth(
  'own-headers',
  (baseURL) => ({ providers: { p: { type: 'openai-compatible', baseURL, headers } } }),
  { script: json(200, chatAnswer('x')) },
)

describe.each(runtimes)("A provider's own headers that look like those of HTTP on %s", (runtime) => {
  it('reach the provider', async () => {
    expect(await both.ask(runtime, chat('p/x'))).toMatchObject({ status: 200 })
    expect(upstream.seen.at(-1)?.headers).toMatchObject(headers)
  })
})
