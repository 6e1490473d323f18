import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { chat } from '../support/ask.ts'
import { type Both, runtimes, startBoth } from '../support/both.ts'
import { chatAnswer, type FakeUpstream, fakeUpstream, json } from '../support/upstream.ts'

const headers = {
  'content-type': 'application/json; charset=utf-8',
  accept: 'application/json',
  'user-agent': 'our-program/1',
  'x-host': 'elsewhere.test',
  'accept-encoding': 'identity',
}

let upstream: FakeUpstream
let both: Both
beforeAll(async () => {
  upstream = await fakeUpstream(json(200, chatAnswer('x')))
  both = await startBoth('own-headers', {
    providers: { p: { type: 'openai-compatible', baseURL: upstream.url, headers } },
  })
})
afterAll(async () => {
  await both.close()
  await upstream.close()
})

describe.each(runtimes)("A provider's own headers that look like those of HTTP on %s", (runtime) => {
  it('reach the provider', async () => {
    expect(await both.ask(runtime, chat('p/x'))).toMatchObject({ status: 200 })
    expect(upstream.seen.at(-1)?.headers).toMatchObject(headers)
  })
})
