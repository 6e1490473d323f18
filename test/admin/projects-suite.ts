import OpenAI from 'openai'
import { describe, expect, it } from 'vitest'

export const adminKey = 'sk-admin-0123456789abcdef'

/** What the upstream tells of each answer. */
export const usage = { prompt_tokens: 100, completion_tokens: 50, total_tokens: 150 }

const price = { input: 1, output: 10 }
const models = {
  m: { deployments: [{ model: 'up/m', price }] },
  other: { deployments: [{ model: 'up/o', price }] },
}

/** A gateway in front of an upstream at `baseURL`. */
export const configOf = (baseURL: string) => ({ providers: { up: { type: 'openai-compatible', baseURL } }, models })

/** What is promised of projects, on whichever runtime. `send` asks a gateway that keeps them. */
export function testProjects(send: (path: string, init: RequestInit) => Promise<Response>): void {
  async function operate(method: string, path: string, body?: object, key = adminKey) {
    const response = await send(`/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      ...(body && { body: JSON.stringify(body) }),
    })
    // biome-ignore lint/suspicious/noExplicitAny: an answer, whose fields the tests look at.
    return { status: response.status, body: (await response.json()) as any }
  }

  function admin() {
    const fetch = (url: RequestInfo | URL, init: RequestInit = {}) => {
      const { pathname, search } = new URL(String(url))
      return send(pathname + search, init)
    }
    const baseURL = 'http://gateway.test/v1'
    return new OpenAI({ baseURL, adminAPIKey: adminKey, maxRetries: 0, fetch }).admin.organization
  }

  const make = async (fields: object = {}) =>
    (await operate('POST', '/organization/projects', { name: 'web', ...fields })).body
  const keyOf = async (project_id: string, more: object = {}) =>
    (await operate('POST', '/keys', { name: 'Ada', project_id, ...more })).body.key as string
  const asked = (key: string, more: object = {}) => {
    const chat = { model: 'm', messages: [{ role: 'user', content: 'hi' }], max_tokens: 100, ...more }
    return operate('POST', '/chat/completions', chat, key)
  }

  describe("Projects in OpenAI's own client", () => {
    it('are made, listed, shown, changed and archived', async () => {
      const { projects } = admin()
      const made = await projects.create({ name: 'Search' })
      expect(made).toMatchObject({
        object: 'organization.project',
        name: 'Search',
        status: 'active',
        archived_at: null,
      })
      expect(await projects.retrieve(made.id)).toEqual(made)
      expect(await projects.update(made.id, { name: 'Find' })).toMatchObject({ id: made.id, name: 'Find' })
      const second = await projects.create({ name: 'Second' })
      const ids = []
      for await (const { id } of projects.list({ limit: 1 })) ids.push(id)
      expect(ids).toEqual(expect.arrayContaining([made.id, second.id]))
      expect(await projects.archive(made.id)).toMatchObject({ status: 'archived', archived_at: expect.any(Number) })
      const { data } = await projects.list({ limit: 100 })
      expect(data.map(({ id }) => id)).not.toContain(made.id)
      const { data: all } = await projects.list({ limit: 100, include_archived: true })
      expect(all.map(({ id }) => id)).toContain(made.id)
      await expect(projects.retrieve('proj_none')).rejects.toMatchObject({ status: 404, code: 'project_not_found' })
    })

    it('have limits of models, a spend limit and model permissions', async () => {
      const { projects } = admin()
      const { id } = await projects.create({ name: 'Limits' })
      const terms = { currency: 'USD', interval: 'month', threshold_amount: 1_250 } as const
      expect(await projects.spendLimit.update(id, terms)).toMatchObject(terms)
      expect(await projects.spendLimit.retrieve(id)).toMatchObject({ object: 'project.spend_limit', ...terms })
      expect(await projects.retrieve(id)).toMatchObject({ limit: 12.5, limit_remaining: 12.5, limit_reset: 'monthly' })
      expect(await projects.spendLimit.delete(id)).toMatchObject({ deleted: true })
      await expect(projects.spendLimit.retrieve(id)).rejects.toMatchObject({ status: 404 })

      const rate = { max_requests_per_1_minute: 3, max_tokens_per_1_minute: 9_000 }
      await projects.rateLimits.updateRateLimit('rl-m', { project_id: id, ...rate })
      const { data } = await projects.rateLimits.listRateLimits(id)
      expect(data).toEqual([{ id: 'rl-m', object: 'project.rate_limit', model: 'm', ...rate }])

      const permissions = { mode: 'deny_list', model_ids: ['oth*'] } as const
      expect(await projects.modelPermissions.update(id, { ...permissions, model_ids: ['oth*'] })).toMatchObject(
        permissions,
      )
      const key = await keyOf(id)
      expect((await asked(key)).status).toBe(200)
      expect((await asked(key, { model: 'other' })).status).toBe(403)
      await projects.modelPermissions.delete(id)
      expect((await asked(key, { model: 'other' })).status).toBe(200)
    })
  })

  describe('The keys of a project', () => {
    it('share its budget, and the refusal says whose it is', async () => {
      const { id } = await make({ limit: 0.002 })
      const [one, two] = [await keyOf(id, { limit: 1 }), await keyOf(id)]
      expect((await asked(one)).status).toBe(200)
      const refused = await asked(two)
      expect([refused.status, refused.body.error]).toEqual([
        429,
        expect.objectContaining({
          code: 'insufficient_quota',
          message: expect.stringContaining('the budget of project web'),
        }),
      ])
      await expect
        .poll(async () => (await operate('GET', `/organization/projects/${id}`)).body.limit_remaining)
        .toBeCloseTo(0.0014, 9)
      await operate('PATCH', `/organization/projects/${id}`, { limit: 1 })
      expect((await asked(two)).status).toBe(200)
    })

    it('share its requests a minute, and a refusal by one limit takes nothing of another', async () => {
      const { id } = await make({ rpm_limit: 2 })
      const [one, two] = [await keyOf(id, { limit: 0.000001 }), await keyOf(id)]
      // It can't pay, so that the project's requests are all there still.
      expect((await asked(one)).body.error.code).toBe('insufficient_quota')
      expect([(await asked(two)).status, (await asked(two)).status]).toEqual([200, 200])
      const refused = await asked(two)
      expect([refused.status, refused.body.error.message]).toEqual([
        429,
        expect.stringContaining('for project web on requests'),
      ])
    })

    it('are refused once it is archived, and those of an unknown project are not limited', async () => {
      const { id } = await make({ id: 'its-own-id' })
      expect(id).toBe('its-own-id')
      expect((await operate('POST', '/organization/projects', { name: 'x', id })).status).toBe(400)
      const key = await keyOf(id)
      expect((await asked(key)).status).toBe(200)
      await operate('POST', `/organization/projects/${id}/archive`)
      const refused = await asked(key)
      expect([refused.status, refused.body.error.message]).toEqual([
        401,
        expect.stringContaining('project web is archived'),
      ])
      expect((await asked(await keyOf('nobody-made-it'))).status).toBe(200)
    })

    it('take what they have spent with them when they are moved', async () => {
      const [one, other] = [await make({ limit: 1 }), await make({ limit: 0.0018 })]
      const left = async ({ id }: { id: string }) =>
        (await operate('GET', `/organization/projects/${id}`)).body.limit_remaining
      for (const project_id of [null, one.id]) {
        const { data, key } = (await operate('POST', '/keys', { name: 'Ada', limit: 0.01, project_id })).body
        const own = async () => (await operate('GET', `/keys/${data.id}`)).body.data.limit_remaining
        expect((await asked(key)).status).toBe(200)
        await expect.poll(own).toBeCloseTo(0.0094, 9)
        await operate('PATCH', `/keys/${data.id}`, { project_id: other.id })
        await expect.poll(own).toBeCloseTo(0.0094, 9)
        // Under the budget of the one that it belongs to now.
        expect((await asked(key, { max_tokens: 300 })).body.error.message).toContain('the budget of project web')
        await expect.poll(own).toBeCloseTo(0.0094, 9)
        await operate('PATCH', `/keys/${data.id}`, { project_id: null })
        expect((await asked(key, { max_tokens: 1_000 })).body.error.message).toContain('the budget of key Ada')
        expect((await asked(key)).status).toBe(200)
        await expect.poll(own).toBeCloseTo(0.0088, 9)
      }
      await expect.poll(() => left(one)).toBeCloseTo(0.9994, 9)
      await expect.poll(() => left(other)).toBe(0.0018)
    })
  })
}
