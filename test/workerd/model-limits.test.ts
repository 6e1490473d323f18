import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { expect, it } from 'vitest'
import { systemClock } from '../../src/core/clock.ts'
import worker from '../../src/worker.ts'
import { ObjectLimiter } from '../../src/workers/object-limiter.ts'
import { objects } from './object-meters.ts'

const keys = { ONE: 'sk-of-one-client', OTHER: 'sk-of-another-client' }
const models = { m: { deployments: ['demo/tiny-chat'], rpm: 2 } }
const config = { providers: { demo: { type: 'embedded' } }, keys: ['env:ONE', 'env:OTHER'], models }
const bound = { ...keys, METERS: env.METERS, SAMEWIRE_CONFIG: JSON.stringify(config) }

async function ask(key: string): Promise<Response> {
  const execution = createExecutionContext()
  const body = JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'hi' }], max_tokens: 1 })
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${key}` }
  const request = new Request('https://samewire.test/v1/chat/completions', { method: 'POST', headers, body })
  const response = await worker.fetch(request, bound as unknown as Parameters<typeof worker.fetch>[1], execution)
  const text = await response.text()
  await waitOnExecutionContext(execution)
  return new Response(text, response)
}

it('a model of the configuration is limited for all keys, in whichever isolates they ask it', async () => {
  const takes = [{ subject: 'model:m', kind: 'requests', limit: 2, need: 1 } as const]
  const elsewhere = new ObjectLimiter({ objects, clock: systemClock, newId: () => crypto.randomUUID() })
  await elsewhere.take({ key: { id: 'env:OTHER' }, takes, holds: [] })
  const answered = await ask(keys.ONE)
  expect([answered.status, answered.headers.get('x-ratelimit-remaining-requests')]).toEqual([200, '0'])
  const refused = await ask(keys.OTHER)
  expect([refused.status, await refused.text()]).toEqual([429, expect.stringContaining('for the model m on requests')])
})
