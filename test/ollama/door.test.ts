import { describe, expect, it } from 'vitest'
import { noLists } from '../support/ask.ts'
import { duringTests } from '../support/during-tests.ts'
import { startGateway } from '../support/gateway.ts'

const gateway = duringTests(() =>
  startGateway({ providers: { demo: { type: 'embedded' } } }, { access: { mode: 'open' }, services: noLists }),
)

describe('A gateway without a key, in Ollama’s API,', () => {
  const ask = (headers: Record<string, string>, path = '/api/chat') =>
    fetch(gateway.baseURL.replace(/\/v1$/, path), {
      method: 'POST',
      headers,
      body: JSON.stringify({ model: 'demo/tiny-chat', messages: [] }),
    })

  it.each(['application/x-www-form-urlencoded', 'text/plain'])('takes what programs here send as %s', async (type) => {
    expect((await ask({ 'content-type': type })).status).toBe(200)
    expect((await ask({ 'content-type': type }, '/api/show')).status).toBe(200)
  })

  it.each([{ origin: 'https://evil.example' }, { 'sec-fetch-site': 'cross-site' }])(
    'takes nothing from a web page: %j',
    async (headers) => {
      const reply = await ask({ 'content-type': 'text/plain', ...headers } as Record<string, string>)
      expect([reply.status, await reply.json()]).toEqual([403, { error: expect.any(String) }])
    },
  )

  it('keeps to JSON in OpenAI’s API', async () => {
    expect((await ask({ 'content-type': 'text/plain' }, '/v1/chat/completions')).status).toBe(403)
  })
})
