import OpenAI from 'openai'
import { beforeAll, describe, expect, it } from 'vitest'
import { createAccounting } from '../../src/accounts/accounting.ts'
import { limiterOf } from '../../src/accounts/limiter.ts'
import { Rates } from '../../src/accounts/rates.ts'
import { systemClock } from '../../src/core/clock.ts'
import { loadPrices } from '../../src/prices/load.ts'
import { digestOf } from '../support/accounting.ts'
import { noLists } from '../support/ask.ts'
import { duringTests } from '../support/during-tests.ts'
import { gatewayStarter } from '../support/gateway.ts'
import { type KeptState, keptState } from '../support/state.ts'
import { chatAnswer, type FakeUpstream, fakeUpstream, json } from '../support/upstream.ts'

const adminKey = 'sk-admin-0123456789abcdef'
const start = gatewayStarter()
const state: KeptState = duringTests(keptState)
const upstream: FakeUpstream = duringTests(() => fakeUpstream())
let baseURL: string

beforeAll(async () => {
  const { holders: keys, meters, ledger } = state
  const accounting = createAccounting({
    ...{ clock: systemClock, digest: digestOf, catalogue: await loadPrices() },
    ...{ keys, ledger, limiter: limiterOf(new Rates(systemClock), meters) },
  })
  const price = { input: 2, output: 10 }
  const gateway = await start(
    {
      providers: { p: { type: 'openai-compatible', baseURL: upstream.url } },
      models: { m: { deployments: [{ model: 'p/m', price }] }, other: { deployments: [{ model: 'p/other', price }] } },
    },
    { env: { SAMEWIRE_ADMIN_KEY: adminKey }, services: noLists, state: async () => state, accounting },
  )
  baseURL = gateway.baseURL
})

async function operate(method: string, path: string, body?: object) {
  const response = await fetch(`${baseURL}${path}`, {
    method,
    headers: { authorization: `Bearer ${adminKey}`, 'content-type': 'application/json' },
    ...(body && { body: JSON.stringify(body) }),
  })
  // biome-ignore lint/suspicious/noExplicitAny: an answer, whose fields the tests look at.
  return (await response.json()) as any
}

const tokens = { prompt_tokens: 500, completion_tokens: 50, total_tokens: 550 }
const messages = [{ role: 'user' as const, content: 'hi' }]

describe('A key', () => {
  it('is good for models from when it is made until it is deleted, and all of it is on the books', async () => {
    upstream.script(json(200, { ...chatAnswer('Hello', 'm'), usage: tokens }))
    const { data, key } = await operate('POST', '/keys', {
      name: 'Ada',
      limit: 1,
      models: ['m'],
      user_id: 'ada',
      project_id: 'web',
    })
    const client = new OpenAI({ baseURL, apiKey: key, maxRetries: 0 })
    const asked = client.chat.completions.create({
      model: 'm',
      messages,
      user: 'eve',
      metadata: { ticket: '7' },
      max_tokens: 100,
    })
    const { data: answer, request_id: id } = await asked.withResponse()
    expect(answer.choices[0]?.message.content).toBe('Hello')
    // 500 tokens at $2 a million and 50 at $10.
    const cost = 0.0015
    const refused = client.chat.completions.create({ model: 'other', messages })
    await expect(refused).rejects.toMatchObject({ status: 403 })

    const row = (await operate('GET', `/generation?id=${id}`)).data
    expect(row).toMatchObject({
      ...{ id, api_key_id: data.id, api_key_name: 'Ada', user_id: 'ada', project_id: 'web', end_user: 'eve' },
      ...{ model: 'm', deployment: 'p/m', cost, booked: cost, usage_source: 'reported', metadata: { ticket: '7' } },
    })
    await expect
      .poll(async () => (await operate('GET', `/keys/${data.id}`)).data)
      .toMatchObject({
        ...{ usage: cost, usage_daily: cost, limit_remaining: 1 - cost },
      })
    const operator = new OpenAI({ baseURL, adminAPIKey: adminKey, maxRetries: 0 })
    const since = { start_time: Math.floor(Date.now() / 1000) - 60, api_key_ids: [data.id] }
    const { usage } = operator.admin.organization
    const used = await usage.completions({ ...since, group_by: ['user_id'] })
    expect(used.data.flatMap(({ results }) => results)).toMatchObject([
      { input_tokens: 500, output_tokens: 50, num_model_requests: 2, num_failed_requests: 1, user_id: 'ada' },
    ])
    const paid = await usage.costs(since)
    expect(paid.data.flatMap(({ results }) => results)).toMatchObject([{ amount: { value: cost } }])

    const { key: second } = await operate('POST', `/keys/${data.id}/rotate`, { grace: '1h' })
    for (const apiKey of [key, second])
      await new OpenAI({ baseURL, apiKey, maxRetries: 0 }).chat.completions.create({
        model: 'm',
        messages,
        max_tokens: 9,
      })
    await operate('PATCH', `/keys/${data.id}`, { disabled: true })
    const disabled = client.chat.completions.create({ model: 'm', messages })
    await expect(disabled).rejects.toMatchObject({ status: 401, code: 'invalid_api_key' })
    await operate('DELETE', `/keys/${data.id}`)
    for (const apiKey of [key, second]) {
      const gone = new OpenAI({ baseURL, apiKey, maxRetries: 0 }).chat.completions.create({ model: 'm', messages })
      await expect(gone).rejects.toMatchObject({ status: 401, code: 'invalid_api_key' })
    }
  })

  it('asks no more than its budget has, whatever it is changed to meanwhile', async () => {
    const { data, key } = await operate('POST', '/keys', { name: 'Eve', limit: 0.000001 })
    const client = new OpenAI({ baseURL, apiKey: key, maxRetries: 0 })
    const ask = () => client.chat.completions.create({ model: 'm', messages, max_tokens: 100 })
    await expect(ask()).rejects.toMatchObject({ status: 429, code: 'insufficient_quota' })
    await operate('PATCH', `/keys/${data.id}`, { limit: 1 })
    expect((await ask()).choices).toHaveLength(1)
    await operate('PATCH', `/keys/${data.id}`, { limit: 0 })
    await expect(ask()).rejects.toMatchObject({ status: 429, code: 'insufficient_quota' })
  })
})
