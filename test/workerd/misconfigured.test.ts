import { createExecutionContext } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
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
  ['{"state": {"url": "nowhere"}}', 'state.url: found "nowhere"; allowed: '],
  ['{"keys": 5, "models": 7, "state": null}', 'keys: found'],
  ['{"idleTimeout": 1e7}', 'idleTimeout: found 10000000; allowed: a number of seconds up to 2,000,000'],
])('the Worker whose SAMEWIRE_CONFIG is %s says so in the envelope, and why in its log', async (text, reason) => {
  expect(await toldOf({ SAMEWIRE_CONFIG: text })).toContain(`SAMEWIRE_CONFIG can't be used:\n  ${reason}`)
})

const { DB, METERS } = env
const missing = (name: string, what: string) =>
  `nothing is bound as ${name}, which is to be ${what}; \`npm run deploy:state\` makes and binds it`

it('the Worker that is to share answers but has no objects for that says so', async () => {
  const told = await toldOf({ SAMEWIRE_CONFIG: '{"cache": {"ttl": 60, "singleFlight": true}}' })
  expect(told).toContain('cache.singleFlight: nothing is bound as FLIGHTS')
})

it.each<[string, object, string]>([
  ['no database', { SAMEWIRE_STATE: 'd1', METERS }, missing('DB', 'a D1 database')],
  ['no database of that name', { SAMEWIRE_STATE: 'd1:OTHER', DB, METERS }, missing('OTHER', 'a D1 database')],
  ['no objects', { SAMEWIRE_STATE: 'd1', DB }, missing('METERS', 'Durable Objects')],
  ['a file', { SAMEWIRE_STATE: 'file:a.db', DB, METERS }, 'a Worker keeps its state in D1; allowed: "d1"'],
])('the Worker whose state has %s says so', async (_, given, reason) => {
  expect(await toldOf(given)).toContain(`The state can't be used:\n  state.url: ${reason}`)
})

/** What the log says of a Worker that can't serve. */
async function toldOf(given: object): Promise<string> {
  const logged = vi.spyOn(console, 'error').mockImplementation(() => {})
  const request = new Request('https://samewire.test/v1/models')
  const response = await worker.fetch(request, given as Parameters<typeof worker.fetch>[1], createExecutionContext())
  expect(response.status).toBe(500)
  const message = 'The gateway is misconfigured; its log says where.'
  expect(await response.json()).toEqual({
    error: { message, type: 'server_error', param: null, code: 'misconfigured' },
  })
  return logged.mock.calls.flat().join('\n')
}
