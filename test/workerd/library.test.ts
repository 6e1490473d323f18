import { env } from 'cloudflare:workers'
import { expect, it } from 'vitest'
import { type Config, createGateway } from '../../src/library/index.ts'
import { exchangePath } from '../support/exchange.ts'

const headers = { 'content-type': 'application/json' }
const choices = [{ index: 0, message: { role: 'assistant', content: 'hello' }, finish_reason: 'stop' }]
const answer = { id: 'chatcmpl-1', object: 'chat.completion', created: 1, model: 'm', choices }
const upstream = exchangePath({ answer: { status: 200, headers, body: JSON.stringify(answer) } })
const config: Config = {
  providers: { up: { type: 'openai-compatible', baseURL: `${env.UPSTREAM}${upstream}/v1` } },
  keys: [{ key: 'env:KEY', rpm: 2 }],
}
const given = { KEY: 'sk-of-a-limited-client' }

it('a gateway in a Worker of one’s own limits keys in each isolate', async () => {
  const gateway = createGateway(config, { env: given, log: () => {} })
  async function ask(): Promise<number> {
    const own = { ...headers, authorization: `Bearer ${given.KEY}` }
    const body = JSON.stringify({ model: 'up/m', messages: [{ role: 'user', content: 'hi' }] })
    const request = new Request('http://localhost/v1/chat/completions', { method: 'POST', headers: own, body })
    const response = await gateway.fetch(request)
    await response.text()
    return response.status
  }
  expect((await Promise.all([ask(), ask(), ask()])).sort()).toEqual([200, 200, 429])
})

it.each(['d1', 'file:a.db'])('a gateway in a Worker of one’s own is refused state in %s', (url) => {
  expect(() => createGateway({ ...config, state: { url } }, { env: given })).toThrow(
    'state.url: a Worker of your own keeps nothing',
  )
})
