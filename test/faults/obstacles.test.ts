import { describe, expect, it } from 'vitest'
import { ask, chat, errorOf, noLists } from '../support/ask.ts'
import { serveNode, startGateway } from '../support/gateway.ts'
import { chatAnswer, json } from '../support/upstream.ts'

const { upstream, gateway } = serveNode(
  (url) => {
    const baseURL = `${url}/v1`
    return {
      providers: {
        lab: { type: 'openai-compatible', baseURL },
        theirs: { type: 'openai-compatible', baseURL, apiKey: 'client' },
        keyless: { type: 'groq' },
      },
      models: { small: { deployments: [{ model: 'lab/small', contextWindow: 100, supports: { vision: false } }] } },
      fallback: 'small',
    }
  },
  { script: json(200, chatAnswer('hello')) },
)

const image = { role: 'user', content: [{ type: 'image_url', image_url: { url: 'data:image/png;base64,AA' } }] }

describe('A fallback that can’t serve the request', () => {
  it('is said to be the obstacle, not the name that is missing', async () => {
    const reply = await ask(gateway, { model: 'gpt-3.5-turbo', messages: [image] })
    expect(reply.status).toBe(400)
    expect(errorOf(reply)).toMatchObject({ code: 'unsupported_parameter', param: 'messages' })
    const long = await ask(gateway, { model: 'gpt-3.5-turbo', messages: [{ role: 'user', content: 'x'.repeat(1000) }] })
    expect(errorOf(long)).toMatchObject({ code: 'context_length_exceeded' })
  })

  it('serves one that asks for more room than there is: servers cut, clients exaggerate', async () => {
    const reply = await ask(gateway, chat('gpt-3.5-turbo', { max_tokens: 4096 }))
    expect(reply.status).toBe(200)
    expect(reply.headers.get('x-samewire-reason')).toBe('model_not_found')
  })
})

describe('A provider that can’t be asked', () => {
  it('is told as a missing model to the client, and by its reason in the log', async () => {
    const bare = await startGateway({ providers: { keyless: { type: 'groq' } } }, { services: noLists })
    const reply = await ask(bare, { model: 'keyless/x', prompt: 'hi' }, { path: '/completions' })
    expect(reply.status).toBe(404)
    expect(errorOf(reply).message).toBe('The model: `keyless/x` does not exist')
    expect(bare.logged.join('\n')).toContain('keyless/x: GROQ_API_KEY is not set')
    await bare.close()
  })

  it('that rejects the caller’s own key blames the caller, not the gateway', async () => {
    upstream.script(json(401, { error: { message: 'no such key' } }))
    const reply = await ask(gateway, chat('theirs/m'), { headers: { authorization: 'Bearer sk-callers-own-key' } })
    expect(reply.status).toBe(401)
    expect(errorOf(reply)).toMatchObject({ code: 'invalid_api_key' })
    expect(reply.text).not.toContain('sk-callers-own-key')
  })
})
