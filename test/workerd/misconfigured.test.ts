import { createExecutionContext } from 'cloudflare:test'
import { afterEach, expect, it, vi } from 'vitest'
import worker from '../../src/worker.ts'

afterEach(() => {
  vi.restoreAllMocks()
})

it.each([
  ['null', 'found null; allowed: an object'],
  ['[]', 'found an array; allowed: an object'],
  ['5', 'found an integer; allowed: an object'],
  ['"text"', 'found a string; allowed: an object'],
  ['\ufeff5', 'found an integer; allowed: an object'],
  ['{', 'it is not valid JSON'],
  [
    '{"providers": {"p": {"type": "openai", "headers": {"content-length": "5"}}}}',
    'providers.p.headers["content-length"]: HTTP sets this header itself',
  ],
  [
    '{"providers": {"p": {"type": "openai", "headers": {"X-Team": "a", "x-team": "b"}}}}',
    'providers.p.headers["x-team"]: there is a header of this name in another case; allowed: one of them',
  ],
  ['{"retries": 1e3}', 'retries: found 1000; allowed: a whole number up to 20'],
  ['{"idleTimeout": 1e7}', 'idleTimeout: found 10000000; allowed: a number of seconds up to 2,000,000'],
])('the Worker whose SAMEWIRE_CONFIG is %s says so in the envelope, and why in its log', async (text, reason) => {
  const logged = vi.spyOn(console, 'error').mockImplementation(() => {})
  const request = new Request('https://samewire.test/v1/models')
  const response = await worker.fetch(request, { SAMEWIRE_CONFIG: text }, createExecutionContext())
  expect(response.status).toBe(500)
  const message = 'The gateway is misconfigured; its log says where.'
  expect(await response.json()).toEqual({
    error: { message, type: 'server_error', param: null, code: 'misconfigured' },
  })
  expect(logged).toHaveBeenCalledWith(expect.stringContaining(`SAMEWIRE_CONFIG can't be used:\n  ${reason}`))
})
