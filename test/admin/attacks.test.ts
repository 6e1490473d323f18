import { get } from 'node:http'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { createAdmin } from '../../src/admin/admin.ts'
import type { AdminScope } from '../../src/admin/route.ts'
import { adminRoutes } from '../../src/admin/routes.ts'
import { fuzzed } from '../proofs/attack/fuzz.ts'
import { noLists } from '../support/ask.ts'
import { duringTests } from '../support/during-tests.ts'
import { gatewayStarter, type RunningGateway } from '../support/gateway.ts'
import { type KeptState, keptState, rowMaker } from '../support/state.ts'
import { usually } from '../support/usually.ts'

const adminKey = 'sk-admin-0123456789abcdef'
const config = { providers: { p: { type: 'openai-compatible', baseURL: 'http://127.0.0.1:1' } } } as const
const start = gatewayStarter()
const state: KeptState = duringTests(keptState)
const logged: string[] = []
let gateway: RunningGateway

beforeAll(async () => {
  gateway = await start(config, {
    env: { SAMEWIRE_KEY: 'sk-model-0123456789abcdef', SAMEWIRE_ADMIN_KEY: adminKey },
    services: { ...noLists, log: (line) => void logged.push(line) },
    output: { write: (line) => void logged.push(line), format: 'text' },
    state: async () => state,
  })
})

/** Sends a path as it is: `fetch` would put it right. */
function raw(method: string, path: string, key = adminKey): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${key}` }
    get({ host: '127.0.0.1', port: gateway.port, path, method, headers }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (part: string) => {
        text += part
      })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }))
    }).on('error', reject)
  })
}

async function send(method: string, path: string, body?: unknown) {
  const response = await fetch(`${gateway.baseURL}${path}`, {
    method,
    headers: { authorization: `Bearer ${adminKey}`, 'content-type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  return { status: response.status, text: await response.text(), headers: response.headers }
}

const sql = [
  "'; DROP TABLE keys; --",
  `" OR ""="`,
  "' UNION SELECT digest FROM secrets --",
  '?1 %s $1 \\',
  '1; PRAGMA x',
]

describe('SQL in a text', () => {
  it.each(sql)('is kept as a text, wherever it is: %s', async (text) => {
    const terms = { name: text, project_id: text, user_id: text, models: [text], metadata: { [text]: [text] } }
    const made = await send('POST', '/keys', terms)
    expect(made.status).toBe(201)
    const { data } = JSON.parse(made.text)
    expect(data).toMatchObject(terms)
    expect(JSON.parse((await send('PATCH', `/keys/${data.id}`, { name: `${text}!` })).text).data.name).toBe(`${text}!`)
    expect((await send('GET', `/keys?project_id=${encodeURIComponent(text)}`)).text).toContain(data.id)
    for (const path of ['', '/rotate'])
      expect((await send('POST', `/keys/${encodeURIComponent(text)}${path}`, {})).status).toBe(path === '' ? 405 : 404)
    expect((await send('DELETE', `/keys/${encodeURIComponent(text)}`)).status).toBe(404)
  })

  it.each(sql)('finds nothing in a query: %s', async (text) => {
    state.ledger.write(rowMaker()({ at: Date.now(), key: 'key_x', model: 'secret-model' }))
    await state.ledger.flush()
    const value = encodeURIComponent(text)
    const filters = ['project_ids', 'user_ids', 'api_key_ids', 'models', 'end_users']
    const since = Math.floor(Date.now() / 1000) - 60
    for (const width of ['1d', '1m'])
      for (const filter of filters) {
        const path = `/organization/usage/completions?start_time=${since}&bucket_width=${width}&group_by=model&${filter}=${value}`
        const { status, text: told } = await send('GET', path)
        expect([status, told.includes('secret-model')]).toEqual([200, false])
      }
    const refused = await send('GET', `/organization/usage/completions?start_time=${since}&group_by=${value}`)
    expect(refused.status).toBe(400)
    expect(JSON.parse((await send('GET', `/requests?api_key_id=${value}`)).text).data).toEqual([])
    expect((await send('GET', `/generation?id=${value}`)).status).toBe(404)
    expect((await state.database.all('SELECT count(*) AS n FROM keys'))[0]?.n).toBeGreaterThan(0)
  })
})

it.each(sql)('is a text in rows too, and in cursors: %s', async (text) => {
  const metadata = JSON.stringify({ [text]: text })
  const row = rowMaker()({ at: Date.now(), endUser: text, model: text, keyName: text, metadata })
  state.ledger.write(row)
  await state.ledger.flush()
  const { text: told } = await send('GET', `/generation?id=${row.id}`)
  expect(JSON.parse(told).data).toMatchObject({ id: row.id, model: text })
  const value = encodeURIComponent(text)
  for (const path of [`/requests?after=${value}`, `/organization/projects?after=${value}`, `/keys?user_id=${value}`]) {
    const { status, text: found } = await send('GET', path)
    expect([path, [200, 400].includes(status)]).toEqual([path, true])
    // Sixty-four digits in hexadecimal would be one.
    expect(found).not.toMatch(/[\da-f]{64}/)
  }
  const page = `/organization/usage/completions?start_time=1&page=${value}`
  expect((await send('GET', page)).status).toBe(400)
  const project = await send('POST', '/organization/projects', { name: text, metadata: { [text]: text } })
  expect([project.status, JSON.parse(project.text).name]).toEqual([200, text])
})

describe('A page', () => {
  it.each([
    ['limit=0', 'limit'],
    ['limit=-1', 'limit'],
    ['limit=1000000000', 'limit'],
    ['limit=99999999999999999999', 'limit'],
    ['limit=1e2', 'limit'],
    ['offset=-1', 'offset'],
    ['offset=0x10', 'offset'],
    ['limit=1&limit=2', 'limit'],
    ['project_id=a&project_id=b', 'project_id'],
    ['unheard=of', 'unheard'],
  ])('of no sensible size is refused: %s', async (query, param) => {
    const { status, text } = await send('GET', `/keys?${query}`)
    expect([status, JSON.parse(text).error]).toEqual([400, expect.objectContaining({ param })])
  })
})

describe('A key that is for something else', () => {
  it.each(adminRoutes.map(({ method, path, forHolders = false }) => [`${method} ${path}`, forHolders] as const))(
    'opens no admin route: %s',
    async (route, forHolders) => {
      const { keys } = state
      const terms = { name: 'other', disabled: false, limits: {}, metadata: {} }
      const active = await keys.create(terms)
      const expired = await keys.create({ ...terms, expiresAt: 1 })
      const disabled = await keys.create({ ...terms, disabled: true })
      const rotated = await keys.create(terms)
      await keys.rotate(rotated.key.id, 0)
      const revisions = () => state.database.all('SELECT name, value FROM revisions')
      const before = await revisions()
      const all = [expired, disabled, rotated, ...(forHolders ? [] : [active])].map(({ secret }) => secret)
      // One of the configuration is shown its own as well.
      if (!forHolders) all.push('sk-model-0123456789abcdef')
      const [method = '', pattern = ''] = route.split(' ')
      const path = pattern.startsWith('/admin') || pattern === '/metrics' ? pattern : `/v1${pattern}`
      const asked = path.replaceAll('{id}', active.key.id).replace(/\{\w+\}/g, 'completions')
      for (const key of ['', `${adminKey} x`, adminKey.toUpperCase(), ...all]) {
        const told = await raw(method, asked, key)
        expect([key, told.status]).toEqual([key, 401])
        expect(Object.keys(JSON.parse(told.text).error)).toEqual(['message', 'type', 'param', 'code'])
      }
      expect(await revisions()).toEqual(before)
    },
  )
})

it('No header and no query makes another method of one', async () => {
  const { key } = await state.keys.create({ name: 'stays', disabled: false, limits: {}, metadata: {} })
  const url = `${gateway.baseURL}/keys/${key.id}`
  const names = ['x-http-method-override', 'x-method-override', 'x-http-method', '_method']
  const headers = { authorization: `Bearer ${adminKey}`, ...Object.fromEntries(names.map((name) => [name, 'DELETE'])) }
  expect((await fetch(url, { headers })).status).toBe(200)
  for (const query of ['_method=DELETE', 'method=delete'])
    expect((await fetch(`${url}?${query}`, { headers, method: 'POST' })).status).toBe(405)
  const form = { ...headers, 'content-type': 'application/x-www-form-urlencoded' }
  expect((await fetch(url, { headers: form, method: 'POST', body: '_method=DELETE' })).status).toBe(405)
  expect(await state.keys.get(key.id)).toBeDefined()
})

it('HEAD and OPTIONS tell nothing to who has no key', async () => {
  for (const path of ['/v1/keys', '/v1/requests', '/admin/config', '/metrics']) {
    expect(await raw('HEAD', path, 'wrong')).toEqual({ status: 401, text: '' })
    const told = await raw('OPTIONS', path, 'wrong')
    expect([path, told.text]).toEqual([path, ''])
  }
})

describe('A path', () => {
  it.each([
    '/v1/keys/../admin/config',
    '/v1/keys/%2e%2e/admin/config',
    '/v1/keys/..%2f..%2fadmin%2fconfig',
    '/v1/key/../keys',
    '/v1/key/%00',
    '/v1/keysandmore',
    '/v1/keys/a/b/c',
    '/v1/organization/usage/../costs?start_time=1',
    '/v1/organization/usage/completions/%2e%2e?start_time=1',
    '/v1/requests/%252e',
    '/v1/keys/%ff',
    `/v1/keys/${'a'.repeat(8_000)}`,
    '/v1/keys/%F0%9F%94%91',
    '/v1/keys/%2e',
    '/v1/keys/.',
    '/v1/keys;limit=1',
    '/V1/KEYS',
    '/v1/keys%3Flimit=1',
  ])('that tries to lead elsewhere leads nowhere: %s', async (path) => {
    const told = await raw('GET', path)
    expect(told.status).toBe(404)
    expect(told.text).not.toContain('"providers"')
  })

  it.each(['/v1/keys', '//v1//keys', '/keys/', '/v1/v1/keys', '/openai/v1/keys', '/v1/keys?offset=0#x'])(
    'that means the same needs the same key: %s',
    async (path) => {
      expect((await raw('GET', path)).status).toBe(200)
      expect((await raw('GET', path, 'sk-model-0123456789abcdef')).status).toBe(401)
      expect((await raw('GET', path, `${adminKey}x`)).status).toBe(401)
    },
  )

  it('takes a method for no other', async () => {
    for (const method of ['PUT', 'DELETE', 'PATCH', 'TRACE']) expect((await raw(method, '/v1/keys')).status).toBe(405)
    expect((await raw('POST', '/v1/keys/x')).status).toBe(405)
    expect((await raw('HEAD', '/v1/keys')).status).toBe(200)
  })
})

it('A secret is in no answer but its own, in no log, in no error and in no row', async () => {
  const made = JSON.parse((await send('POST', '/keys', { name: 'Ada' })).text)
  const rotated = JSON.parse((await send('POST', `/keys/${made.data.id}/rotate`, { grace: 3600 })).text)
  const secrets = [made.key, rotated.key] as string[]
  const answers = []
  for (const secret of secrets) {
    const paths = [`/keys/${secret}`, `/keys/${secret}/rotate`, `/keys/x/${secret}`, `/generation?id=${secret}`]
    const queries = [`/keys?${secret}=1`, `/keys?limit=${secret}`, `/keys?include_disabled=${secret}`]
    for (const path of [...paths, ...queries, `/requests?after=${secret}`])
      for (const method of ['GET', 'POST', 'DELETE']) {
        const { text, headers } = await send(method, path)
        answers.push(text, JSON.stringify([...headers]))
      }
    for (const body of [{ [secret]: 1 }, { name: 'a', limit_reset: secret }, { name: 'a', models: { [secret]: 1 } }])
      answers.push((await send('POST', '/keys', body)).text)
    answers.push((await raw('GET', '/v1/keys/x', `${secret}x`)).text, (await raw('GET', '/v1/key', secret)).text)
  }
  answers.push((await send('GET', '/keys')).text, (await send('GET', `/keys/${made.data.id}`)).text)
  const tables = await state.database.all("SELECT name FROM sqlite_master WHERE type = 'table'")
  for (const { name } of tables) answers.push(JSON.stringify(await state.database.all(`SELECT * FROM ${name}`)))
  for (const secret of secrets)
    for (const text of [...answers, ...logged, ...state.logged]) expect(text).not.toContain(secret.slice(6, 26))
})

it('Hundreds of bodies that nobody would send are taken or refused, and never break anything', async () => {
  const { counts, faults } = await fuzzed(state, { runs: 600, seed: 7 })
  expect(faults).toEqual([])
  for (const status of [200, 201, 400]) expect(counts[status]).toBeGreaterThan(0)
})

it('Thousands of queries that nobody would send are answered or refused', async () => {
  const scope = { state: async () => state } as unknown as AdminScope
  const log: string[] = []
  const admin = createAdmin({ adminKey, access: { mode: 'open' }, scope, log: (line) => void log.push(line) })
  const path = fc.constantFrom(
    ...['/keys', '/requests', '/generation', '/organization/costs', '/organization/usage/completions'],
    ...['/organization/usage/images', '/organization/usage/constructor', '/keys/__proto__'],
  )
  const name = fc.constantFrom(
    ...[
      'start_time',
      'end_time',
      'bucket_width',
      'limit',
      'page',
      'group_by',
      'group_by[]',
      'models[0]',
      'after',
      'id',
    ],
    ...['offset', 'include_disabled', 'api_key_ids', 'batch', '__proto__', '', 'toString[]'],
  )
  const value = fc.oneof(
    fc.constantFrom('0', '1', '-1', '1e3', '0x1', '', '\0', '1d', '1m', 'page_0', 'page_99999999999', 'model', 'true'),
    fc.constantFrom('1700000000', '1700000060', '100000000000', '9'.repeat(30), 'req_', "' OR 1=1 --", '\ud83d'),
    fc.string({ unit: 'binary' }),
  )
  const query = fc.array(fc.tuple(name, value), { maxLength: 5 })
  const header = (name: string) => ({ authorization: `Bearer ${adminKey}` })[name]
  const counts = new Map<number, number>()
  await fc.assert(
    fc.asyncProperty(path, query, fc.boolean(), async (path, given, timed) => {
      const parameters = new URLSearchParams(timed ? [['start_time', '1700000000'], ...given] : given)
      const url = `http://localhost/v1${path}?${parameters}`
      const { status } = await admin({ id: 'req_1', method: 'GET', url, header, json: async () => ({}) })
      expect([200, 400, 404]).toContain(status)
      counts.set(status, (counts.get(status) ?? 0) + 1)
    }),
    { numRuns: usually(1_000, 3_000) },
  )
  for (const status of [200, 400, 404]) expect(counts.get(status)).toBeGreaterThan(usually(15, 50))
  expect(log).toEqual([])
})
