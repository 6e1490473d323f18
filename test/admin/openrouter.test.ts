import { OpenRouter } from '@openrouter/sdk'
import { beforeAll, describe, expect, it } from 'vitest'
import { noLists } from '../support/ask.ts'
import { duringTests } from '../support/during-tests.ts'
import { gatewayStarter } from '../support/gateway.ts'
import { type KeptState, keptState, rowMaker } from '../support/state.ts'

const adminKey = 'sk-admin-0123456789abcdef'
const start = gatewayStarter()
const state: KeptState = duringTests(keptState)
let clientFor: (apiKey: string) => OpenRouter
let operator: OpenRouter

beforeAll(async () => {
  const { baseURL } = await start(
    { providers: { p: { type: 'openai-compatible', baseURL: 'http://127.0.0.1:1' } } },
    { env: { SAMEWIRE_KEY: 'our-key', SAMEWIRE_ADMIN_KEY: adminKey }, services: noLists, state: async () => state },
  )
  clientFor = (apiKey) => new OpenRouter({ apiKey, serverURL: baseURL, retryConfig: { strategy: 'none' } })
  operator = clientFor(adminKey)
})

describe('OpenRouter’s client', () => {
  it('makes, reads, changes, lists and deletes keys', async () => {
    const expiresAt = new Date(Math.ceil(Date.now() / 1000) * 1000 + 3_600_000)
    const made = await operator.apiKeys.create({
      requestBody: {
        name: 'Ada',
        limit: 12.5,
        limitReset: 'monthly',
        expiresAt,
        includeByokInLimit: true,
        workspaceId: 'web',
      },
    })
    const { hash } = made.data
    expect(made.key).toMatch(/^sk-sw-/)
    expect(made.data).toMatchObject({ name: 'Ada', limit: 12.5, limitRemaining: 12.5, expiresAt, workspaceId: 'web' })
    expect((await operator.apiKeys.get({ hash })).data).toEqual(made.data)
    const changed = await operator.apiKeys.update({
      hash,
      requestBody: { limit: null, limitReset: null, disabled: true },
    })
    expect(changed.data).toMatchObject({ limit: null, limitReset: null, limitRemaining: null, disabled: true })
    const listed = async (includeDisabled: boolean) =>
      (await operator.apiKeys.list({ includeDisabled, offset: 0, workspaceId: 'web' })).data.map((key) => key.hash)
    expect([await listed(false), await listed(true)]).toEqual([[], [hash]])
    expect(await operator.apiKeys.delete({ hash })).toEqual({ deleted: true })
    expect(await listed(true)).toEqual([])
  })

  it('reads the limits of its own key, and one of its requests', async () => {
    const { data, key } = await operator.apiKeys.create({ requestBody: { name: 'Eve', limit: 1 } })
    const row = rowMaker()({ at: Date.now(), key: data.hash, cost: 250_000_001, booked: 250_000_001, stream: true })
    state.ledger.write(row)
    await state.ledger.flush()
    const own = await clientFor(key).apiKeys.getCurrentKeyMetadata()
    expect(own.data).toMatchObject({ label: data.label, limit: 1, usage: 0.250000001, isManagementKey: false })
    expect((await operator.apiKeys.getCurrentKeyMetadata()).data).toMatchObject({ isManagementKey: true })
    const generation = await clientFor(key).generations.getGeneration({ id: row.id })
    expect(generation.data).toMatchObject({
      ...{
        id: row.id,
        model: 'gpt',
        providerName: 'p',
        totalCost: 0.250000001,
        streamed: true,
        apiType: 'completions',
      },
      ...{ tokensPrompt: 10, tokensCompletion: 5, nativeTokensCached: 2, createdAt: new Date(row.at).toISOString() },
    })
  })

  it('fails where there is nothing, and without the admin key', async () => {
    await expect(operator.apiKeys.get({ hash: 'none' })).rejects.toMatchObject({ statusCode: 404 })
    await expect(clientFor('our-key').apiKeys.list()).rejects.toMatchObject({ statusCode: 401 })
    const created = operator.apiKeys.create({ requestBody: { name: '' } })
    await expect(created).rejects.toMatchObject({ statusCode: 400 })
  })
})
