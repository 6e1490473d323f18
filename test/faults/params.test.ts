import { describe, expect, it } from 'vitest'
import { ask, chat, hastyClock } from '../support/ask.ts'
import { serveNode } from '../support/gateway.ts'
import { chatAnswer, json } from '../support/upstream.ts'

const params = { temperature: 0.1, top_p: 0.2 }
const overrides = { seed: 7, model: 'not this' }
const { upstream, gateway } = serveNode(
  (url) => ({
    providers: {
      p: { type: 'openai-compatible', baseURL: url },
      hf: { type: 'huggingface', endpointUrl: url, engine: 'tgi', apiKey: 'env:HF' },
    },
    models: {
      m: { deployments: [{ model: 'p/a', params, overrides }], fallbacks: ['p/b'] },
      tgi: { deployments: [{ model: 'hf/tgi', params, overrides }] },
    },
    retries: 0,
  }),
  { script: json(200, chatAnswer('x')), clock: hastyClock(), env: { HF: 'hf_x' } },
)
const sent = () => JSON.parse(upstream.seen.at(-1)?.body ?? '') as Record<string, unknown>

describe('The fields of a deployment', () => {
  it('are set where the client leaves them out, and forced where the configuration says so', async () => {
    upstream.script(json(200, chatAnswer('x')))
    await ask(gateway, chat('m', { temperature: 0.9, seed: 1 }))
    expect(sent()).toEqual(chat('a', { temperature: 0.9, top_p: 0.2, seed: 7 }))
    await ask(gateway, chat('m', { temperature: null }))
    expect(sent()).toEqual(chat('a', { temperature: 0.1, top_p: 0.2, seed: 7 }))
  })

  it('are set in a translated request too', async () => {
    upstream.script(json(200, chatAnswer('x')))
    await ask(gateway, chat('tgi', { temperature: 0.9, seed: 1 }))
    expect(sent()).toEqual(chat('tgi', { temperature: 0.9, top_p: 0.2, seed: 7 }))
  })

  it('stay on their own target', async () => {
    upstream.script(json(503, {}), json(200, chatAnswer('x')))
    await ask(gateway, chat('m', { seed: 1 }))
    expect(sent()).toEqual(chat('b', { seed: 1 }))
  })

  it('leave every other byte of the request as it is', async () => {
    upstream.script(json(200, chatAnswer('x')))
    await ask(
      gateway,
      '{ "seed": 1,"model" :"m", "messages":[ {"role":"user","content":"\\u0041"}], "temperature":1.0, "top_p":1, "big":9007199254740993 }',
    )
    expect(upstream.seen.at(-1)?.body).toBe(
      '{ "seed": 7,"model" :"a", "messages":[ {"role":"user","content":"\\u0041"}], "temperature":1.0, "top_p":1, "big":9007199254740993 }',
    )
  })

  it('may be called as anything', async () => {
    upstream.script(json(200, chatAnswer('x')))
    const odd = '"constructor":1,"toString":2,"__proto__":{"a":3}'
    await ask(gateway, `{"model":"tgi","messages":[{"role":"user","content":"hi"}],${odd}}`)
    expect(upstream.seen.at(-1)?.body).toContain(odd)
    await ask(gateway, `{"model":"m","messages":[{"role":"user","content":"hi"}],${odd}}`)
    expect(upstream.seen.at(-1)?.body).toContain(odd)
  })
})
