import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { chat } from '../support/ask.ts'
import { type Both, runtimes, startBoth } from '../support/both.ts'
import { chatAnswer, type FakeUpstream, fakeUpstream, json } from '../support/upstream.ts'

let upstream: FakeUpstream
let both: Both

beforeAll(async () => {
  upstream = await fakeUpstream(json(200, chatAnswer('x')))
  const provider = {
    type: 'openai-compatible',
    baseURL: upstream.url,
    apiKey: 'env:KEY',
    headers: { 'x-team': 'env:TEAM' },
  }
  both = await startBoth(
    'trimmed-keys',
    { providers: { p: provider }, keys: ['env:OURS'] },
    { KEY: 'sk-x\n', TEAM: 't\r\n', OURS: 'sk-ours\n' },
  )
})

afterAll(async () => {
  await both.close()
  await upstream.close()
})

describe.each(runtimes)('A key with a line break at its end, on %s,', (runtime) => {
  it('goes to its provider without it', async () => {
    expect((await both.ask(runtime, chat('p/m'))).status).toBe(200)
    expect(upstream.seen.at(-1)?.headers).toMatchObject({ authorization: 'Bearer sk-x', 'x-team': 't' })
  })

  it('opens the gateway without it', async () => {
    const headers = { authorization: 'Bearer sk-ours' }
    expect((await fetch(`${both.addresses[runtime]}/models`, { headers })).status).toBe(200)
  })
})
