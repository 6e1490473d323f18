import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { registry } from '../../providers/index.ts'
import { adminRoutes } from '../../src/admin/routes.ts'
import { endings } from '../../src/config/load.ts'
import { passedOver } from '../../src/core/plan.ts'
import { ownMetrics } from '../../src/observe/metrics/own-names.ts'
import { refusalKinds } from '../../src/observe/metrics/refusals.ts'
import { storedRoutes } from '../../src/stored/serve.ts'
import { reactions } from '../../src/wire/errors.ts'
import { wireHeaders } from '../../src/wire/headers.ts'
import { type AssembledGateway, askWith, startGateway } from './gateways.ts'
import { checkVariable } from './shell.ts'
import { codesIn, readme, root, tableOf } from './snippets.ts'

let gateway: AssembledGateway

beforeAll(async () => {
  gateway = await startGateway(
    { providers: { demo: { type: 'embedded' } }, models: { m: 'demo/tiny-chat' } },
    { env: {} },
  )
})
afterAll(() => gateway.stop())

test('the table of providers has every type, with its key, its address and its settings', () => {
  const rows = tableOf(readme, 'providers')
  expect(rows.flatMap(([types = '']) => codesIn(types)).sort()).toEqual(Object.keys(registry).sort())
  for (const [types = '', key = '', where = '', settings = ''] of rows) {
    const names = codesIn(types)
    const definitions = names.flatMap((name) => registry[name] ?? [])
    const keys = codesIn(key).filter((code) => /^[A-Z_]+$/.test(code))
    expect(definitions.slice(0, keys.length).map(({ env }) => env?.apiKey)).toEqual(keys)
    if (names.length === 1) {
      const [{ baseURL, env, settings: own = {} } = registry.openai!] = definitions
      expect(codesIn(where)).toEqual([baseURL, env?.baseURL].filter((text) => text !== undefined))
      expect(codesIn(settings)).toEqual(expect.arrayContaining(Object.keys(own)))
    }
    for (const [at, port] of [...where.matchAll(/\d{4}/g)].entries()) {
      if (names.length > 1) expect(definitions[at]?.baseURL).toBe(`http://127.0.0.1:${port}/v1`)
    }
  }
})

test('the endings of configuration files are those that are read', () => {
  const [, named = ''] = /the file that `--config` names \(([^)]+)\)/.exec(readme) ?? []
  expect(codesIn(named)).toEqual(endings)
})

test('the table of routes names only routes that are there', async () => {
  for (const route of tableOf(readme, 'routes').flatMap(([routes = '']) => codesIn(routes))) {
    const [method = '', path = ''] = route.replace('{model}', 'demo%2Ftiny-chat').split(' ')
    const chat = { messages: [{ role: 'user', content: 'hi' }], prompt: 'hi', max_tokens: 1 }
    const contents = path.startsWith('/v1beta/') && { contents: [{ parts: [{ text: 'hi' }] }] }
    const body = { model: 'm', input: 'hi', ...(path !== '/v1/responses' && chat), ...contents }
    const response = await gateway.fetch(
      new Request(`http://gateway${path}`, {
        method,
        ...(method === 'POST' && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
      }),
    )
    expect([route, response.status]).toEqual([route, 200])
  }
})

test('the tables of admin routes have every one', () => {
  const said = ['admin', 'kept'].flatMap((name) => tableOf(readme, name)).flatMap(([routes = '']) => codesIn(routes))
  expect(said.map((route) => route.replace(' /v1', ' '))).toEqual(
    adminRoutes.map(({ method, path }) => `${method} ${path}`),
  )
})

test('the table of what is stored has every route', () => {
  const said = tableOf(readme, 'stored').flatMap(([routes = '']) => codesIn(routes))
  expect(said.map((route) => route.replace(' /v1', ' ').replaceAll('{id}', '{}'))).toEqual(
    storedRoutes.map(({ method, path }) => `${method} ${path}`),
  )
})

test.each(['messages/batches'])('what is said not to be there answers 404: %s', async (route) => {
  const response = await gateway.fetch(new Request(`http://gateway/v1/${route}`, { method: 'POST', body: '{}' }))
  expect(response.status).toBe(404)
  expect(await response.json()).toMatchObject({ type: 'error', error: { type: 'not_found_error' } })
})

test('the table of reasons has every one for which a plan passes a deployment over', async () => {
  const said = tableOf(readme, 'skipped').flatMap(([reasons = '']) => codesIn(reasons))
  const files = ['resolve', 'obstacles'].map((name) => readFile(join(root, `src/core/${name}.ts`), 'utf8'))
  const resolver = (await Promise.all(files)).join('\n')
  const obstacles = [...resolver.matchAll(/kind: '(\w+)',\s+why/g)].map(([, kind = '']) => kind)
  expect(obstacles).toContain('unknown')
  expect(said.sort()).toEqual([...new Set([...passedOver, ...obstacles])].sort())
})

test('the table of metrics has every one that the gateway has of its own', () => {
  const said = tableOf(readme, 'metrics').map(([name = '', labels = '']) => [codesIn(name), codesIn(labels)])
  const all = Object.values(ownMetrics).map(({ prometheus, attributes }) => [[prometheus], attributes])
  expect(said.sort()).toEqual(all.sort())
})

test('the table of refusals that are counted has every kind', () => {
  const said = tableOf(readme, 'refused').flatMap(([kinds = '']) => codesIn(kinds))
  expect(said.sort()).toEqual([...refusalKinds].sort())
})

test('the table of headers names only headers that answers have', async () => {
  const { headers } = await askWith(gateway, 'm')
  for (const name of tableOf(readme, 'headers').flatMap(([names = '']) => codesIn(names))) {
    expect(wireHeaders('', 0)['access-control-expose-headers']).toContain(name)
    // An answer without a reason has no reason to tell, and one of a model whose answers aren't kept says nothing of that.
    expect([name, headers.has(name)]).toEqual([
      name,
      !['x-samewire-reason', 'x-samewire-dropped', 'x-samewire-cache'].includes(name),
    ])
  }
})

test('the table of kinds of failure has every one', () => {
  const said = tableOf(readme, 'kinds').flatMap(([kinds = '']) => codesIn(kinds))
  expect(said.sort()).toEqual(Object.keys(reactions).sort())
})

test('the table of errors has every code, and says of each what the gateway does', () => {
  const said = tableOf(readme, 'errors').flatMap(([status = '', codes = '', , elsewhere = '']) =>
    codesIn(codes).map((code) => `${status} ${code}: ${elsewhere}`),
  )
  const done = Object.values(reactions)
    // A client that has left reads nothing.
    .filter(({ code, status }) => code !== null && status !== 499)
    .map(
      ({ status, code, again, elsewhere }) =>
        `${status} ${code}: ${elsewhere ? 'yes' : 'no'}${again ? ', after retries' : ''}`,
    )
  expect(said.sort()).toEqual([...new Set(done)].sort())
})

test.each([...new Set(codesIn(readme).filter((code) => /^[A-Z]+(_[A-Z]+)+$/.test(code)))])(
  'the variable %s is read by somebody',
  async (name) => {
    // OpenAI's Python client of 2023 reads this one.
    if (name !== 'OPENAI_API_BASE') await checkVariable(name)
  },
)

test.each([...new Set(codesIn(readme).filter((code) => /^[\w./-]+(\/|\.(ts|js|md|toml))$/.test(code)))])(
  'the file or folder %s is there, in the repository or its sources',
  (name) => {
    expect(['', 'src/'].some((folder) => existsSync(join(root, folder, name)))).toBe(true)
  },
)
