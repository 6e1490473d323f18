import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test'
import { expect, it } from 'vitest'
import worker from '../../src/worker.ts'

const key = 'sk-of-a-limited-client'
const env = { KEY: key, SAMEWIRE_CONFIG: JSON.stringify({ keys: [{ key: 'env:KEY', rpm: 2 }] }) }

async function ask(): Promise<Response> {
  const execution = createExecutionContext()
  const body = JSON.stringify({ model: 'demo/tiny-chat', messages: [{ role: 'user', content: 'hi' }], max_tokens: 1 })
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${key}` }
  const request = new Request('https://samewire.test/v1/chat/completions', { method: 'POST', headers, body })
  const response = await worker.fetch(request, env, execution)
  await response.clone().text()
  await waitOnExecutionContext(execution)
  return response
}

it('a key of the configuration is limited without any binding, from the first requests of an isolate on', async () => {
  const statuses = (await Promise.all(Array.from({ length: 5 }, ask))).map(({ status }) => status)
  expect(statuses.sort()).toEqual([200, 200, 429, 429, 429])
})
