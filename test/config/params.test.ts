import { expect, it } from 'vitest'
import { chat } from '../support/ask.ts'
import { startGateway } from '../support/gateway.ts'
import { chatAnswer, fakeUpstream, json } from '../support/upstream.ts'

it('A parameter that the configuration leaves without a value is not sent', async () => {
  const upstream = await fakeUpstream(json(200, chatAnswer('x')))
  const gateway = await startGateway({
    providers: { p: { type: 'openai-compatible', baseURL: upstream.url } },
    models: {
      m: { deployments: [{ model: 'p/x', params: { seed: undefined, n: 1 }, overrides: { top_p: undefined } }] },
    },
  })
  const response = await fetch(`${gateway.baseURL}/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(chat('m', { top_p: 0.5 })),
  })
  expect(response.status).toBe(200)
  expect(JSON.parse(upstream.seen.at(-1)?.body ?? '')).toEqual({ ...chat('x'), n: 1, top_p: 0.5 })
  await gateway.close()
  await upstream.close()
})
