import { beforeEach, describe, expect, it } from 'vitest'
import { windowAt } from '../../src/state/window.ts'
import { noLists } from '../support/ask.ts'
import { duringTests } from '../support/during-tests.ts'
import { gatewayStarter, ManualClock, type RunningGateway } from '../support/gateway.ts'
import { type KeptState, keptState, rowMaker } from '../support/state.ts'

const adminKey = 'sk-admin-0123456789abcdef'
const modelKey = 'sk-model-0123456789abcdef'
const config = { providers: { p: { type: 'openai-compatible', baseURL: 'http://127.0.0.1:1' } } } as const
const env = { SAMEWIRE_KEY: modelKey, SAMEWIRE_ADMIN_KEY: adminKey }
const hour = 60 * 60 * 1000
const clock = new ManualClock()
const start = gatewayStarter()
const state: KeptState = duringTests(() => keptState(clock))
const logged: string[] = []
let gateway: RunningGateway

beforeEach(async () => {
  gateway ??= await start(config, {
    ...{ env, clock, services: { ...noLists, log: (line) => void logged.push(line) } },
    state: async () => state,
  })
})

interface Told {
  readonly status: number
  readonly headers: Headers
  // biome-ignore lint/suspicious/noExplicitAny: an answer, whose fields the tests look at.
  readonly body: any
}

async function ask(method: string, path: string, body?: unknown, key: string | undefined = adminKey): Promise<Told> {
  const response = await fetch(`${gateway.baseURL}${path}`, {
    method,
    headers: { ...(key && { authorization: `Bearer ${key}` }), ...(body !== undefined && json) },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
  const text = await response.text()
  return { status: response.status, headers: response.headers, body: text === '' ? '' : JSON.parse(text) }
}
const json = { 'content-type': 'application/json' }
const make = async (fields: object = {}) => (await ask('POST', '/keys', { name: 'Ada', ...fields })).body

describe('An operator', () => {
  it('makes a key, whose secret is shown once', async () => {
    const expires_at = new Date(clock.now() + hour).toISOString()
    const terms = {
      ...{ name: 'Ada', limit: 12.5, limit_reset: 'monthly', expires_at, models: ['gpt-*', 'p/m'] },
      ...{ rpm_limit: 60, tpm_limit: 100_000, max_parallel_requests: 4, metadata: { team: 'a' } },
      ...{ project_id: 'web', user_id: 'ada', model_rpm_limit: { 'p/m': 5 }, end_user_tpm_limit: 900 },
      ...{ budget_mode: 'estimate', allow_unbounded: true },
    }
    const { status, body } = await ask('POST', '/keys', terms)
    expect(status).toBe(201)
    expect(body.key).toMatch(/^sk-sw-[\w-]{43}$/)
    const data = {
      ...terms,
      id: body.data.hash,
      label: `sk-sw-…${body.key.slice(-4)}`,
      disabled: false,
      created_at: new Date(clock.now()).toISOString(),
      updated_at: null,
      ...{ usage: 0, usage_daily: 0, usage_weekly: 0, usage_monthly: 0, limit_remaining: 12.5, lost: 0 },
      ...{ workspace_id: 'web', include_byok_in_limit: false, model_tpm_limit: {}, end_user_rpm_limit: null },
    }
    expect(body.data).toMatchObject(data)
    const shown = await ask('GET', `/keys/${body.data.hash}`)
    expect(shown).toMatchObject({ status: 200, body: { data } })
    expect(shown.body).not.toHaveProperty('key')
  })

  it('sees what a key has spent, what is left and what was lost, to the nano-dollar', async () => {
    const { data } = await make({ limit: 1 })
    const row = rowMaker()
    const old = clock.now() - 40 * 24 * hour
    state.ledger.write(row({ at: clock.now(), key: data.id, booked: 123_456_789 }))
    state.ledger.write(row({ at: old, key: data.id, booked: 1 }))
    await state.ledger.flush()
    await state.book(`key:${data.id}`, 0, { spent: 223_456_789, held: 10, lost: 100_000_000 })
    const told = { usage: 0.12345679, usage_monthly: 0.123456789, limit_remaining: 0.776543201, lost: 0.1 }
    expect((await ask('GET', `/keys/${data.id}`)).body.data).toMatchObject(told)
    const forgiven = await ask('PATCH', `/keys/${data.id}`, { forgive: true })
    expect(forgiven.body.data).toMatchObject({ lost: 0, limit_remaining: 0.876543201 })
  })

  it('sees at once what a request holds, and what it has cost in the end', async () => {
    const { data } = await make({ limit: 1, limit_reset: 'weekly' })
    const left = async () => (await ask('GET', `/keys/${data.id}`)).body.data.limit_remaining
    const meter = { subject: `key:${data.id}`, window: windowAt('weekly', clock.now()), limit: 1_000_000_000 }
    const granted = await state.meters.reserve([{ meter, amount: 600_000_000 }])
    if (!granted.granted) throw new Error('a new budget has room')
    expect(await left()).toBeLessThanOrEqual(0.4)
    granted.settle([250_000_001])
    await expect.poll(left).toBe(0.749999999)
  })

  it('changes what is given, and leaves the rest; null takes a limit off', async () => {
    const { data } = await make({
      limit: 5,
      models: ['a'],
      rpm_limit: 3,
      model_rpm_limit: { a: 1 },
      metadata: { a: 1 },
    })
    await clock.advance(1000)
    const change = { name: 'Eve', limit: null, models: null, tpm_limit: 7, model_tpm_limit: { b: 2 }, disabled: true }
    const { status, body } = await ask('PATCH', `/keys/${data.id}`, change)
    const expected = { ...change, rpm_limit: 3, model_rpm_limit: { a: 1 }, metadata: { a: 1 }, limit_remaining: null }
    expect([status, body.data]).toEqual([200, expect.objectContaining(expected)])
    expect(body.data.updated_at).toBe(new Date(clock.now()).toISOString())
    expect((await ask('PATCH', `/keys/${data.id}`, {})).body).toEqual(body)
  })

  it('lists keys, those that are disabled if asked to', async () => {
    const project_id = `list ${Math.random()}`
    for (const name of ['a', 'b', 'c']) {
      await clock.advance(1)
      await make({ name, project_id, disabled: name === 'b' })
    }
    const names = async (query: string) =>
      (await ask('GET', `/keys?project_id=${encodeURIComponent(project_id)}${query}`)).body.data.map(
        ({ name }: { name: string }) => name,
      )
    expect(await names('')).toEqual(['c', 'a'])
    expect(await names('&include_disabled=true')).toEqual(['c', 'b', 'a'])
    expect(await names('&include_disabled=true&offset=1&limit=1')).toEqual(['b'])
    expect(await names('&user_id=nobody')).toEqual([])
  })

  it('rotates a key: the old secret is good until the grace is over', async () => {
    const { data, key } = await make()
    const rotated = await ask('POST', `/keys/${data.id}/rotate`, { grace: '1m' })
    expect(rotated).toMatchObject({ status: 200, body: { data: { id: data.id, label: expect.any(String) } } })
    const works = async (secret: string) => (await ask('GET', '/key', undefined, secret)).status
    expect([await works(key), await works(rotated.body.key)]).toEqual([200, 200])
    await clock.advance(60_000)
    expect([await works(key), await works(rotated.body.key)]).toEqual([401, 200])
    await ask('POST', `/keys/${data.id}/rotate`)
    expect(await works(rotated.body.key)).toBe(401)
  })

  it('deletes a key', async () => {
    const { data, key } = await make()
    expect(await ask('DELETE', `/keys/${data.id}`)).toMatchObject({ status: 200, body: { deleted: true } })
    expect((await ask('GET', '/key', undefined, key)).status).toBe(401)
    for (const [method, path] of [
      ['GET', ''],
      ['PATCH', ''],
      ['DELETE', ''],
      ['POST', '/rotate'],
    ] as const) {
      const { status, body } = await ask(method, `/keys/${data.id}${path}`, method === 'GET' ? undefined : {})
      expect([status, body.error]).toEqual([404, noKey])
    }
  })
})

const noKey = { message: 'There is no such key.', type: 'invalid_request_error', param: 'id', code: 'key_not_found' }

describe('The holder of a key', () => {
  it('sees their own limits and usage, and nobody else’s', async () => {
    const { data, key } = await make({ limit: 2, limit_reset: 'daily', rpm_limit: 9 })
    await state.book(`key:${data.id}`, windowAt('daily', clock.now()), {
      spent: 500_000_000,
      held: 0,
      lost: 200_000_000,
    })
    const { status, body } = await ask('GET', '/key', undefined, key)
    expect(status).toBe(200)
    expect(body.data).toMatchObject({
      ...{
        label: data.label,
        limit: 2,
        limit_remaining: 1.5,
        limit_reset: 'daily',
        lost: 0.2,
        is_management_key: false,
      },
      rate_limit: { requests: 9, interval: '60s' },
    })
    const row = rowMaker()
    const [own, other] = [row({ at: clock.now(), key: data.id }), row({ at: clock.now(), key: 'key_other' })]
    for (const one of [own, other]) state.ledger.write(one)
    await state.ledger.flush()
    expect((await ask('GET', `/generation?id=${own.id}`, undefined, key)).body.data.id).toBe(own.id)
    expect((await ask('GET', `/generation?id=${other.id}`, undefined, key)).status).toBe(404)
    expect((await ask('GET', `/generation?id=${other.id}`)).status).toBe(200)
  })

  it('is told why they have no access, if the key was right once', async () => {
    const disabled = await make({ disabled: true })
    const expired = await make({ expires_at: new Date(clock.now() + 1000).toISOString() })
    await clock.advance(1000)
    const messageTo = async (key: string) => {
      const { status, body } = await ask('GET', '/key', undefined, key)
      return [status, body.error.code, body.error.message]
    }
    expect(await messageTo(disabled.key)).toEqual([401, 'invalid_api_key', 'This API key is disabled.'])
    expect(await messageTo(expired.key)).toEqual([401, 'invalid_api_key', 'This API key has expired.'])
    expect(await messageTo(`${expired.key}x`)).toEqual([
      401,
      'invalid_api_key',
      expect.stringMatching(/^Incorrect API key/),
    ])
  })

  it('can do nothing of what an operator does, nor with a key of the configuration, nor without any', async () => {
    const { data, key } = await make()
    const routes = [
      ['GET', '/keys'],
      ['POST', '/keys', { name: 'x' }],
      ['GET', `/keys/${data.id}`],
      ['PATCH', `/keys/${data.id}`, { limit: null }],
      ['DELETE', `/keys/${data.id}`],
      ['POST', `/keys/${data.id}/rotate`, {}],
      ['GET', '/organization/usage/completions?start_time=1'],
      ['GET', '/organization/costs?start_time=1'],
      ['GET', '/requests'],
      ['GET', '/admin/config'],
    ] as const
    for (const [method, path, body] of routes)
      for (const used of [key, modelKey, '']) {
        const { status, body: told } = await ask(method, path, body, used)
        expect([method, path, status]).toEqual([method, path, 401])
        expect(told.error.message).toContain('SAMEWIRE_ADMIN_KEY')
      }
    expect((await ask('GET', `/keys/${data.id}`)).body.data.updated_at).toBeNull()
  })
})

describe('A key of the configuration', () => {
  it('is shown its own limits and usage, and its own requests', async () => {
    const row = rowMaker()({ at: clock.now(), key: 'env:SAMEWIRE_KEY', booked: 2_000_000 })
    state.ledger.write(row)
    const { status, body } = await ask('GET', '/key', undefined, modelKey)
    expect([status, body.data]).toEqual([200, expect.objectContaining({ usage: 0.002, limit: null, rpm_limit: null })])
    expect(JSON.stringify(body)).not.toContain(modelKey)
    expect((await ask('GET', `/generation?id=${row.id}`, undefined, modelKey)).body.data.id).toBe(row.id)
  })
})

describe('A project that is archived', () => {
  it('gets no further key', async () => {
    const { id } = (await ask('POST', '/organization/projects', { name: 'old' })).body
    await ask('POST', `/organization/projects/${id}/archive`)
    const { data } = await make()
    for (const name of ['project_id', 'workspace_id']) {
      const made = await ask('POST', '/keys', { name: 'Ada', [name]: id })
      const moved = await ask('PATCH', `/keys/${data.id}`, { [name]: id })
      for (const { status, body } of [made, moved])
        expect([status, body.error.param, body.error.message]).toEqual([
          400,
          'project_id',
          expect.stringContaining('archived'),
        ])
    }
    const { status } = await ask('PATCH', `/keys/${data.id}`, { project_id: null })
    expect(status).toBe(200)
  })
})

describe('An admin key', () => {
  it('is told what it is', async () => {
    expect((await ask('GET', '/key')).body.data).toMatchObject({ label: 'SAMEWIRE_ADMIN_KEY', is_management_key: true })
  })

  it('asks no model', async () => {
    const chat = { model: 'p/m', messages: [{ role: 'user', content: 'hi' }] }
    expect((await ask('POST', '/chat/completions', chat)).status).toBe(401)
  })
})

describe('What can not be meant', () => {
  it.each([
    ['nothing', {}, 'name', 'missing_required_parameter'],
    ['an empty name', { name: ' ' }, 'name', 'empty_string'],
    ['a name of two lines', { name: 'a\nb' }, 'name', 'invalid_value'],
    ['a name that is no text', { name: 1 }, 'name', 'invalid_type'],
    ['a name that is too long', { name: 'x'.repeat(201) }, 'name', 'string_above_max_length'],
    ['a field that there is not', { name: 'a', budget: 1 }, 'budget', 'unknown_parameter'],
    ['what every object has', '{"name":"a","__proto__":{"limit":1}}', '__proto__', 'unknown_parameter'],
    ['a negative budget', { name: 'a', limit: -1 }, 'limit', 'invalid_value'],
    ['a budget of a tenth of a nano-dollar', { name: 'a', limit: 1e-10 }, 'limit', 'invalid_value'],
    ['a budget as a text', { name: 'a', limit: '5' }, 'limit', 'invalid_type'],
    ['a limit of nothing', { name: 'a', rpm_limit: 0 }, 'rpm_limit', 'integer_below_min_value'],
    ['half a request', { name: 'a', rpm_limit: 0.5 }, 'rpm_limit', 'invalid_type'],
    ['a window that there is not', { name: 'a', limit_reset: 'yearly' }, 'limit_reset', 'invalid_value'],
    ['no model at all', { name: 'a', models: [] }, 'models', 'empty_array'],
    ['a model that is no text', { name: 'a', models: ['a', null] }, 'models[1]', 'invalid_type'],
    ['a time without an offset', { name: 'a', expires_at: '2030-01-01T00:00:00' }, 'expires_at', 'invalid_value'],
    ['a day that there is not', { name: 'a', expires_at: '2030-02-31T00:00:00Z' }, 'expires_at', 'invalid_value'],
    ['a time that is over', { name: 'a', expires_at: '2001-01-01T00:00:00Z' }, 'expires_at', 'invalid_value'],
    ['metadata of megabytes', { name: 'a', metadata: { a: 'x'.repeat(20_000) } }, 'metadata', 'invalid_value'],
    ['two projects', { name: 'a', project_id: 'a', workspace_id: 'b' }, 'workspace_id', 'invalid_value'],
    ['a body that is no object', '[]', null, null],
    ['a body that is no JSON', '{', null, null],
  ])('is refused with the field that is wrong: %s', async (_, body, param, code) => {
    const before = (await ask('GET', '/keys')).body.data.length
    const reply = await ask('POST', '/keys', body)
    expect([reply.status, reply.body.error]).toEqual([
      400,
      { message: expect.any(String), type: 'invalid_request_error', param, code },
    ])
    expect((await ask('GET', '/keys')).body.data.length).toBe(before)
  })

  it.each([
    ['/keys?limit=0', 'limit'],
    ['/keys?limit=1e1', 'limit'],
    ['/keys?limit=1&limit=2', 'limit'],
    ['/keys?offset=-1', 'offset'],
    ['/keys?include_disabled=yes', 'include_disabled'],
    ['/keys?__proto__=1', '__proto__'],
    ['/keys?project_id=%00', 'project_id'],
    ['/requests?after=a&after=b', 'after'],
    ['/requests?after=nope', 'after'],
    ['/requests?after=', 'after'],
    ['/generation', 'id'],
    ['/generation?id=', undefined],
  ])('is refused in a query: %s', async (path, param) => {
    const { status, body } = await ask('GET', path)
    expect([status, body.error.param]).toEqual(param ? [400, param] : [404, 'id'])
  })

  it.each(['1h30m', '31d', -1, 'soon', {}, '١h'])('is refused as a grace: %j', async (grace) => {
    const { data, key } = await make()
    expect(await ask('POST', `/keys/${data.id}/rotate`, { grace })).toMatchObject({
      status: 400,
      body: { error: { param: 'grace' } },
    })
    expect((await ask('GET', '/key', undefined, key)).status).toBe(200)
  })
})

describe('A gateway that keeps nothing', () => {
  it('says how it would', async () => {
    const bare = await start(config, { env, services: noLists })
    for (const path of ['/keys', '/keys/a', '/key', '/requests', '/organization/usage/completions']) {
      const headers = { authorization: `Bearer ${adminKey}` }
      const response = await fetch(`${bare.baseURL}${path}`, { headers })
      expect([path, response.status]).toEqual([path, 404])
      expect(JSON.stringify(await response.json())).toContain('Set `state` in its configuration')
    }
  })

  it('has none of it without an admin key either, even if it keeps something', async () => {
    const bare = await start(config, { env: { SAMEWIRE_KEY: modelKey }, services: noLists, state: async () => state })
    const response = await fetch(`${bare.baseURL}/keys`, { headers: { authorization: `Bearer ${modelKey}` } })
    expect(response.status).toBe(404)
    expect(JSON.stringify(await response.json())).toContain('SAMEWIRE_ADMIN_KEY is not set')
  })
})
