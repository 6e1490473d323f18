import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { describe } from 'vitest'
import worker from '../../src/worker.ts'
import { adminKey, configOf, testProjects, usage } from '../admin/projects-suite.ts'
import { exchangePath } from '../support/exchange.ts'

const answer = {
  id: 'chatcmpl-1',
  object: 'chat.completion',
  created: 1,
  model: 'm',
  choices: [{ index: 0, message: { role: 'assistant', content: 'hello' }, finish_reason: 'stop' }],
  usage,
}
const headers = { 'content-type': 'application/json' }
const upstream = exchangePath({ answer: { status: 200, headers, body: JSON.stringify(answer) } })

const { DB, METERS, UPSTREAM } = env
const bound = {
  ...{ DB, METERS, SAMEWIRE_STATE: 'd1', SAMEWIRE_ADMIN_KEY: adminKey },
  SAMEWIRE_CONFIG: JSON.stringify(configOf(`${UPSTREAM}${upstream}/v1`)),
} as unknown as Parameters<typeof worker.fetch>[1]

describe('On Workers', () => {
  testProjects(async (path, init) => {
    const execution = createExecutionContext()
    const response = await worker.fetch(new Request(`https://samewire.test${path}`, init), bound, execution)
    const text = await response.text()
    await waitOnExecutionContext(execution)
    return new Response(text, response)
  })
})
