import OpenAI from 'openai'
import { beforeAll, describe, expect, it } from 'vitest'
import { noLists } from '../support/ask.ts'
import { duringTests } from '../support/during-tests.ts'
import { gatewayStarter, ManualClock, type RunningGateway } from '../support/gateway.ts'
import { type KeptState, keptState, rowMaker } from '../support/state.ts'

const adminKey = 'sk-admin-0123456789abcdef'
const start = gatewayStarter()
const clock = new ManualClock()
const state: KeptState = duringTests(() => keptState(clock))
const hour = 3600
const day = 24 * hour
/** Seconds: the day of the manual clock. */
const today = Math.floor(clock.now() / 1000 / day) * day
let gateway: RunningGateway
let client: OpenAI

beforeAll(async () => {
  gateway = await start(
    { providers: { p: { type: 'openai-compatible', baseURL: 'http://127.0.0.1:1' } } },
    {
      env: { SAMEWIRE_KEY: 'sk-model-0123456789abcdef', SAMEWIRE_ADMIN_KEY: adminKey },
      services: noLists,
      clock,
      state: async () => state,
    },
  )
  client = new OpenAI({ baseURL: gateway.baseURL, adminAPIKey: adminKey, apiKey: 'none', maxRetries: 0 })
  const row = rowMaker()
  const rows = [
    row({
      at: (today - day) * 1000,
      key: 'key_a',
      project: 'p',
      user: 'ada',
      model: 'm1',
      input: 100,
      cached: 40,
      output: 7,
    }),
    row({ at: (today + 60) * 1000, key: 'key_a', project: 'p', user: 'ada', model: 'm2', cost: 250_000_001 }),
    row({ at: (today + hour) * 1000, key: 'key_b', model: 'm1', cost: null, booked: 5, endUser: '=HYPERLINK("x")' }),
    row({
      at: (today + hour) * 1000,
      operation: 'embeddings',
      model: 'e',
      input: 9,
      output: 0,
      outcome: 'failed',
      metadata: '{"a":"b,\\"c"}',
    }),
    row({ at: (today + hour) * 1000, operation: 'speech', model: 's', input: 0, output: 0, deployment: 'q/s' }),
  ]
  for (const one of rows) state.ledger.write(one)
  await state.ledger.flush()
})

describe('OpenAI’s client', () => {
  it('reads the usage of each day, of days without any too', async () => {
    const page = await client.admin.organization.usage.completions({ start_time: today - 2 * day, group_by: ['model'] })
    expect(page).toMatchObject({ object: 'page', has_more: false, next_page: null })
    expect(page.data.map(({ start_time, end_time }) => [start_time - today, end_time - today])).toEqual([
      [-2 * day, -day],
      [-day, 0],
      [0, day],
    ])
    expect(page.data.map(({ results }) => results)).toEqual([
      [],
      [
        {
          object: 'organization.usage.completions.result',
          input_tokens: 100,
          input_cached_tokens: 40,
          input_uncached_tokens: 60,
          output_tokens: 7,
          output_reasoning_tokens: 1,
          num_model_requests: 1,
          num_failed_requests: 0,
          model: 'm1',
          ...{ project_id: null, user_id: null, api_key_id: null, end_user: null, deployment: null, operation: null },
          ...{ batch: null, service_tier: null },
        },
      ],
      [expect.objectContaining({ model: 'm1' }), expect.objectContaining({ model: 'm2' })],
    ])
  })

  it('reads it page by page', async () => {
    const read = (page?: string) =>
      client.admin.organization.usage.completions({ start_time: today - 3 * day + 5, limit: 2, ...(page && { page }) })
    const first = await read()
    expect([first.data.length, first.has_more]).toEqual([2, true])
    const second = await read(first.next_page ?? '')
    expect(second.data.map(({ start_time }) => start_time)).toEqual([today - day, today])
    expect([second.has_more, second.next_page]).toEqual([false, null])
  })

  it.each([
    ['1h', 24, hour, [1, 1]],
    ['1m', 60, 60, [0, 1]],
  ] as const)('reads it by %s', async (bucket_width, most, width, expected) => {
    const page = await client.admin.organization.usage.completions({ start_time: today, bucket_width })
    expect(page.data.length).toBe(Math.min(most, Math.ceil((clock.now() / 1000 - today) / width)))
    const counted = page.data.map(({ results }) =>
      results.reduce((sum, one) => sum + Reflect.get(one, 'num_model_requests'), 0),
    )
    expect(counted.slice(0, 2)).toEqual(expected)
  })

  it('reads it for some keys, projects, users and models', async () => {
    const requests = async (filter: object) => {
      const query = { start_time: today - 7 * day, limit: 31, ...filter }
      const { data } = await client.admin.organization.usage.completions(query)
      return data
        .flatMap(({ results }) => results)
        .reduce((sum, one) => sum + Reflect.get(one, 'num_model_requests'), 0)
    }
    expect(await requests({})).toBe(3)
    expect(await requests({ api_key_ids: ['key_a', 'key_b'] })).toBe(3)
    expect(await requests({ api_key_ids: ['key_a'], models: ['m2'] })).toBe(1)
    expect(await requests({ project_ids: ['p'], user_ids: ['ada'] })).toBe(2)
    expect(await requests({ project_ids: ['q'] })).toBe(0)
    expect(await requests({ batch: true })).toBe(0)
  })

  it('reads the usage of whatever else there is', async () => {
    const { usage } = client.admin.organization
    const query = { start_time: today, end_time: today + day }
    const results = async (asked: Promise<{ data: { results: object[] }[] }>) => (await asked).data[0]?.results
    expect(await results(usage.embeddings(query))).toMatchObject([
      {
        object: 'organization.usage.embeddings.result',
        input_tokens: 9,
        num_model_requests: 1,
        num_failed_requests: 1,
      },
    ])
    expect(await results(usage.audioSpeeches(query))).toMatchObject([{ num_model_requests: 1, characters: null }])
    const others = [usage.moderations(query), usage.images(query), usage.audioTranscriptions(query)]
    const never = [usage.vectorStores(query), usage.codeInterpreterSessions(query), usage.webSearchCalls(query)]
    for (const asked of [...others, ...never, usage.fileSearchCalls(query)]) expect(await results(asked)).toEqual([])
  })

  it('reads what it has cost, to the nano-dollar, and for how many requests that is not known', async () => {
    const page = await client.admin.organization.usage.costs({
      start_time: today - day,
      group_by: ['line_item', 'project_id'],
    })
    expect(page.data.map(({ results }) => results)).toMatchObject([
      [{ object: 'organization.costs.result', amount: { value: 0.000001, currency: 'usd' }, line_item: 'p/gpt' }],
      [
        {
          amount: { value: 0.000001, currency: 'usd' },
          line_item: 'p/gpt',
          project_id: null,
          num_unpriced_requests: 1,
        },
        { amount: { value: 0.250000001, currency: 'usd' }, line_item: 'p/gpt', project_id: 'p' },
        { amount: { value: 0.000001, currency: 'usd' }, line_item: 'q/s', project_id: null },
      ],
    ])
  })

  it.each([
    [{}, 'start_time'],
    [{ start_time: -1 }, 'start_time'],
    [{ start_time: today, end_time: today }, 'end_time'],
    [{ start_time: today, bucket_width: '1y' }, 'bucket_width'],
    [{ start_time: today, limit: 32 }, 'limit'],
    [{ start_time: today, group_by: ['service_tier'] }, 'group_by[0]'],
    [{ start_time: today, page: 'page_1' }, 'page'],
    [{ start_time: today, page: '../x' }, 'page'],
    [{ start_time: today, key_ids: ['a'] }, 'key_ids'],
  ])('is told what can not be meant: %j', async (query, param) => {
    const asked = client.admin.organization.usage.completions(query as { start_time: number })
    await expect(asked).rejects.toMatchObject({ status: 400, param })
  })

  it('gets nothing by a key for models', async () => {
    const other = new OpenAI({ baseURL: gateway.baseURL, adminAPIKey: 'sk-model-0123456789abcdef', maxRetries: 0 })
    const asked = other.admin.organization.usage.completions({ start_time: today })
    await expect(asked).rejects.toMatchObject({ status: 401, code: 'invalid_api_key' })
  })
})

describe('The rows of requests', () => {
  it('are there as soon as their requests are over', async () => {
    const row = rowMaker()({ at: (today - 2 * day) * 1000, operation: 'rerank', deployment: null, model: null })
    state.ledger.write(row)
    const headers = { authorization: `Bearer ${adminKey}` }
    expect((await fetch(`${gateway.baseURL}/generation?id=${row.id}`, { headers })).status).toBe(200)
    await state.database.all('DELETE FROM requests WHERE id = ?1', [row.id])
  })

  async function read(query: string, accept = 'application/json') {
    const headers = { authorization: `Bearer ${adminKey}`, accept }
    const response = await fetch(`${gateway.baseURL}/requests${query}`, { headers })
    return { text: await response.text(), headers: response.headers }
  }

  it('are listed from the newest on, page by page', async () => {
    const ids: string[] = []
    for (let after = '', more = true; more; ) {
      const { text } = await read(`?limit=2${after && `&after=${after}`}`)
      const page = JSON.parse(text)
      expect(page).toMatchObject({ object: 'list', first_id: page.data[0].id, last_id: page.data.at(-1).id })
      for (const { id } of page.data) ids.push(id)
      more = page.has_more
      after = page.last_id
    }
    expect(ids).toHaveLength(5)
    expect(ids.toSorted().reverse()).toEqual(ids)
  })

  it('tell all that is known of a request, and money in dollars', async () => {
    const { data } = JSON.parse((await read('?api_key_id=key_a&limit=1')).text)
    expect(data).toMatchObject([
      {
        ...{ api_key_id: 'key_a', project_id: 'p', user_id: 'ada', model: 'm2', deployment: 'p/gpt', status: 200 },
        ...{ cost: 0.250000001, booked: 0.000001, usage_source: 'reported', attempts: [], metadata: null },
        created_at: new Date((today + 60) * 1000).toISOString(),
      },
    ])
  })

  it('are exported as lines of JSON, with the address of the next page', async () => {
    const first = await read('?limit=3', 'application/x-ndjson')
    expect(first.headers.get('content-type')).toBe('application/x-ndjson')
    const next = /^<\/v1(\/requests)(\?.+)>; rel="next"$/.exec(first.headers.get('link') ?? '')?.[2]
    const second = await read(next ?? '', 'application/x-ndjson')
    expect(second.headers.get('link')).toBeNull()
    const rows = (first.text + second.text)
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(rows).toHaveLength(5)
    expect(rows).toEqual(JSON.parse((await read('')).text).data)
  })

  it('are exported as a table, in which no cell is a formula', async () => {
    const first = await read('?limit=3', 'text/csv')
    const next = /(\?.+)>/.exec(first.headers.get('link') ?? '')?.[1]
    const second = await read(next ?? '', 'text/csv')
    const lines = (first.text + second.text).trimEnd().split('\r\n')
    expect(lines).toHaveLength(6)
    expect(lines[0]).toMatch(/^id,created_at,api_key_id,/)
    expect(lines.join('\n')).toContain(`"'=HYPERLINK(""x"")"`)
    expect(lines.join('\n')).toContain(`"{""a"":""b,\\""c""}"`)
  })
})
