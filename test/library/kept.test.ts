import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { ConfigError, createGateway, defineConfig, type Gateway, type GatewayOptions } from '../../src/library/index.ts'
import { chat } from '../support/ask.ts'
import { duringTests } from '../support/during-tests.ts'
import { chatAnswer, fakeUpstream, json } from '../support/upstream.ts'

const usage = { prompt_tokens: 100, completion_tokens: 50, total_tokens: 150 }
const upstream = duringTests(() => fakeUpstream(json(200, { ...(chatAnswer('hello') as object), usage })))
const adminKey = 'sk-admin-0123456789abcdef'
const env = { KEY: 'sk-of-a-limited-client', SAMEWIRE_ADMIN_KEY: adminKey }
const logged: string[] = []
const log = (line: string) => void logged.push(line)
const gateways: Gateway[] = []

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'library-'))
  return () => rm(folder, { recursive: true })
})
afterEach(async () => {
  vi.restoreAllMocks()
  logged.length = 0
  await Promise.all(gateways.splice(0).map((gateway) => gateway.close()))
})

function started(more: object, given: object = env, options: GatewayOptions = {}): Gateway {
  const price = { input: 1, output: 10 }
  const config = defineConfig({
    providers: { lab: { type: 'openai-compatible', baseURL: upstream.url } },
    models: { m: { deployments: [{ model: 'lab/m', price }] } },
    retries: 0,
    ...more,
  })
  const gateway = createGateway(config, { env: given, log, ...options })
  gateways.push(gateway)
  return gateway
}

async function send(gateway: Gateway, method: string, path: string, key: string, body?: object) {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${key}` }
  const init = { method, headers, ...(body && { body: JSON.stringify(body) }) }
  const response = await gateway.fetch(new Request(`http://localhost/v1${path}`, init))
  // biome-ignore lint/suspicious/noExplicitAny: an answer, whose fields the tests look at.
  return { status: response.status, headers: response.headers, body: (await response.json()) as any }
}

const asked = (gateway: Gateway, key: string = env.KEY) =>
  send(gateway, 'POST', '/chat/completions', key, chat('m', { max_tokens: 100 }))

describe('A gateway in a program of one’s own', () => {
  it('limits keys from the first requests on', async () => {
    const gateway = started({ keys: [{ key: 'env:KEY', rpm: 2 }] })
    const all = await Promise.all(Array.from({ length: 4 }, () => asked(gateway)))
    expect(all.map(({ status }) => status).sort()).toEqual([200, 200, 429, 429])
    expect(all[0]?.headers.get('x-ratelimit-limit-requests')).toBe('2')
  })

  it('limits models for all who ask', async () => {
    const models = { m: { deployments: ['lab/m'], rpm: 1 } }
    const gateway = started({ keys: ['env:KEY', 'env:OTHER'], models }, { ...env, OTHER: 'sk-of-another-client' })
    expect((await asked(gateway)).status).toBe(200)
    expect((await asked(gateway, 'sk-of-another-client')).body.error.message).toContain('the model m')
  })

  it('keeps keys, budgets, projects and usage in a file, which outlast it', async () => {
    const state = { url: `file:${join(folder, 'kept.db')}` }
    const first = started({ state })
    const { body: project } = await send(first, 'POST', '/organization/projects', adminKey, {
      name: 'web',
      limit: 0.002,
    })
    const terms = { name: 'Ada', project_id: project.id, limit: 1 }
    const { body: made } = await send(first, 'POST', '/keys', adminKey, terms)
    expect((await asked(first, made.key)).status).toBe(200)
    await first.close()
    const second = started({ state })
    await second.ready()
    const refused = await asked(second, made.key)
    expect([refused.status, refused.body.error.code]).toEqual([429, 'insufficient_quota'])
    const { body: own } = await send(second, 'GET', '/key', made.key)
    expect(own.data).toMatchObject({ usage: 0.0006, limit_remaining: 0.9994 })
    const { body: rows } = await send(second, 'GET', '/requests', adminKey)
    expect(rows.data.map(({ status }: { status: number }) => status)).toEqual([429, 200])
  })

  it('lets nobody in without a key, once there are some, when the admin key has been forgotten', async () => {
    const state = { url: `file:${join(folder, 'forgotten.db')}` }
    const open = { access: 'open' } as const
    const first = started({ state }, {}, open)
    expect((await asked(first, 'anything')).status).toBe(200)
    await first.close()
    const second = started({ state })
    const { body: made } = await send(second, 'POST', '/keys', adminKey, { name: 'Ada', disabled: true })
    await second.close()
    const third = started({ state }, {}, open)
    expect((await asked(third, 'anything')).body.error.code).toBe('invalid_api_key')
    expect((await asked(third, made.key)).body.error.message).toContain('disabled')
    expect((await send(third, 'GET', '/keys', 'anything')).status).toBe(404)
  })

  it('keeps what clients store, and answers, in the file too', async () => {
    const state = { url: `file:${join(folder, 'stored.db')}` }
    const more = { state, keys: ['env:KEY'], cache: { ttl: 60 } }
    const first = started(more)
    const made = await send(first, 'POST', '/chat/completions', env.KEY, chat('m', { store: true }))
    expect((await asked(first)).headers.get('x-samewire-cache')).toBe('miss')
    await first.close()
    const second = started(more)
    expect((await send(second, 'GET', `/chat/completions/${made.body.id}`, env.KEY)).status).toBe(200)
    expect((await asked(second)).headers.get('x-samewire-cache')).toBe('hit')
  })

  it('is refused a budget that nothing would keep', () => {
    expect(() => started({ keys: [{ key: 'env:KEY', budget: 1 }] })).toThrow(/KEY has a budget, which has to be kept/)
  })

  it.each([
    ['d1', {}, 'd1 is for Workers; a program has a file or PostgreSQL'],
    ['file:a.db', { 'node:sqlite': undefined }, 'this runtime has no node:sqlite; Node has it from 22.13 on'],
    ['env:DATABASE', { 'node:net': undefined }, 'this runtime has no node:net, by which PostgreSQL is reached'],
  ])('is refused state in %s where that can’t be', (url, missing, reason) => {
    const found = process.getBuiltinModule
    vi.spyOn(process, 'getBuiltinModule').mockImplementation((name: string) =>
      name in missing ? undefined : (found(name) as never),
    )
    const given = { ...env, DATABASE: 'postgres://nobody@127.0.0.1:1/none' }
    expect(() => started({ state: { url } }, given)).toThrow(new ConfigError([`state.url: ${reason}`], 'The state'))
  })

  it('says why state can’t be opened, serves nobody meanwhile, and tries again', async () => {
    const later = join(folder, 'later')
    const gateway = started({ keys: ['env:KEY'], state: { url: `file:${join(later, 'a.db')}` } })
    await expect(gateway.ready()).rejects.toThrow(ConfigError)
    const refused = await asked(gateway)
    expect([refused.status, refused.body.error]).toMatchObject([503, { code: 'store_unavailable' }])
    expect(logged[0]).toMatch(/^The state can't be used:\n {2}state\.url: /)
    await mkdir(later)
    expect((await asked(gateway)).status).toBe(200)
  })

  it('is ready at once if it keeps nothing', async () => {
    await started({ keys: ['env:KEY'] }).ready()
  })
})
