import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { ask, chat, errorOf, noLists } from '../support/ask.ts'
import { type RunningGateway, startGateway } from '../support/gateway.ts'
import { chatAnswer, type FakeUpstream, fakeUpstream, json } from '../support/upstream.ts'

let upstream: FakeUpstream
let gateway: RunningGateway

beforeAll(async () => {
  upstream = await fakeUpstream(json(200, chatAnswer('x')))
  const azure = { type: 'openai', baseURL: upstream.url, apiKey: 'env:KEY', apiVersion: '2024-10-21' }
  gateway = await startGateway({ providers: { azure } }, { env: { KEY: 'azure-key' }, services: noLists })
})

beforeEach(() => {
  upstream.seen.length = 0
})

afterAll(async () => {
  await gateway.close()
  await upstream.close()
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
