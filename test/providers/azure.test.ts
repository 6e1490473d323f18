import { beforeEach, describe, expect, it } from 'vitest'
import { ask, chat, errorOf } from '../support/ask.ts'
import { serveNode } from '../support/gateway.ts'
import { chatAnswer, json } from '../support/upstream.ts'

const { upstream, gateway } = serveNode(
  (baseURL) => ({ providers: { azure: { type: 'openai', baseURL, apiKey: 'env:KEY', apiVersion: '2024-10-21' } } }),
  { env: { KEY: 'azure-key' }, script: json(200, chatAnswer('x')) },
)

beforeEach(() => {
  upstream.seen.length = 0
})

const path = (deployment: string) => `/openai/deployments/${deployment}/chat/completions?api-version=2024-10-21`

describe('A deployment at Azure', () => {
  it.each([
    ['my-gpt', 'my-gpt'],
    ['a/../b', 'a%2F..%2Fb'],
    ['..%2f', '..%252f'],
    ['x?y#z', 'x%3Fy%23z'],
    ['...', '...'],
    ['ä b', '%C3%A4%20b'],
  ])('is one part of the path, whatever its name: %s', async (name, part) => {
    expect((await ask(gateway, chat(`azure/${name}`))).status).toBe(200)
    expect(upstream.seen[0]?.path).toBe(path(part))
    expect(upstream.seen[0]?.headers).toMatchObject({ 'api-key': 'azure-key' })
  })

  it.each(['.', '..'])('that is called “%s” is no model, and nobody is asked', async (name) => {
    const reply = await ask(gateway, chat(`azure/${name}`))
    expect([reply.status, errorOf(reply).code]).toEqual([404, 'model_not_found'])
    expect(upstream.seen).toEqual([])
  })
})
