import { describe, expect, it } from 'vitest'
import { chat } from '../support/ask.ts'
import { runtimes, serveBoth } from '../support/both.ts'
import { chatAnswer, json } from '../support/upstream.ts'

const { upstream, both } = serveBoth(
  'trimmed-keys',
  (baseURL) => ({
    providers: {
      p: { type: 'openai-compatible', baseURL, apiKey: 'env:KEY', headers: { 'x-team': 'env:TEAM' } },
    },
    keys: ['env:OURS'],
  }),
  { env: { KEY: 'sk-x\n', TEAM: 't\r\n', OURS: 'sk-ours\n' }, script: json(200, chatAnswer('x')) },
)

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
