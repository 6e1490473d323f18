import { cp, readFile, writeFile } from 'node:fs/promises'
import OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestHarness, type TestHarness } from 'wrangler'
import { withState } from '../../scripts/deploy-state.ts'
import { untilAnswer } from '../support/ask.ts'
import { duringTests } from '../support/during-tests.ts'
import { create, last } from '../support/response-socket.ts'
import { connectSocket } from '../support/socket-client.ts'
import { chatAnswer, chunk, type FakeUpstream, fakeUpstream, json, type Script, stream } from '../support/upstream.ts'
import { builtWorker } from '../support/worker.ts'

const root = new URL('../../', import.meta.url)
const adminKey = 'sk-admin-of-the-built-worker'
/** In dollars per million tokens. */
const price = { input: 1, output: 10 }
const usage = { prompt_tokens: 100, completion_tokens: 50, total_tokens: 150 }
const whole = json(200, { ...(chatAnswer('hello') as object), usage })
const used = `data: ${JSON.stringify({ id: 'chatcmpl-fake', object: 'chat.completion.chunk', choices: [], usage })}\n\n`
const said = [chunk({ role: 'assistant', content: 'hello' }), chunk({}, 'stop')]
const streamed = stream([...said, used, 'data: [DONE]\n\n'])
const answer: Script = (request, ...more) =>
  (request.body.includes('"stream":true') ? streamed : whole)(request, ...more)

interface MadeKey {
  readonly key: string
  readonly data: { readonly id: string }
}

/** The Worker as `npm run deploy:state` deploys it: with a database, objects and, in one of two, a queue. */
describe.each([true, false])('the built Worker that keeps its state, with a queue: %s', (queue) => {
  let server: TestHarness
  let baseURL: string
  const upstream: FakeUpstream = duringTests(() => fakeUpstream(answer))

  beforeAll(async () => {
    const folder = `dist/test-state-${queue}`
    await cp((await builtWorker()).folder, new URL(folder, root), { recursive: true })
    const toml = withState(await readFile(new URL('wrangler.toml', root), 'utf8'), { database: 'local', queue })
    const own = toml.replace(/\[build\][\s\S]*?\n\n/, '').replace('dist/worker/', '')
    const configPath = new URL(`${folder}/wrangler.toml`, root)
    await writeFile(configPath, own.replace('max_batch_timeout = 1', 'max_batch_timeout = 0'))
    const config = {
      providers: { up: { type: 'openai-compatible', baseURL: upstream.url } },
      models: { m: { deployments: [{ model: 'up/m', price, maxOutput: 1000 }] } },
    }
    const secrets = { SAMEWIRE_ADMIN_KEY: adminKey, SAMEWIRE_CONFIG: JSON.stringify(config) }
    server = createTestHarness({ workers: [{ configPath, prebuiltWorkerDir: new URL(folder, root), secrets }] })
    baseURL = new URL('/v1', (await server.listen()).url).href
  })
  afterAll(() => server.close())

  async function operate<T>(method: string, path: string, body?: object): Promise<T> {
    const headers = { authorization: `Bearer ${adminKey}`, 'content-type': 'application/json' }
    const response = await fetch(baseURL + path, { method, headers, ...(body && { body: JSON.stringify(body) }) })
    const text = await response.text()
    if (!response.ok) throw new Error(`${response.status} ${text}`)
    return JSON.parse(text) as T
  }

  const make = (terms: object) => operate<MadeKey>('POST', '/keys', { name: 'Ada', ...terms })
  const clientOf = ({ key }: MadeKey) => new OpenAI({ baseURL, apiKey: key, maxRetries: 0 })
  const chat = (client: OpenAI, more: object = {}) =>
    client.chat.completions.create({ model: 'm', messages: [{ role: 'user', content: 'hi' }], ...more })

  /** Rows of a key, as soon as there are so many. */
  async function rowsOf({ data }: MadeKey, count: number) {
    interface Listed {
      readonly data: { readonly api_key_id: string; readonly status: number }[]
    }
    const rows = async () => {
      const all = await operate<Listed>('GET', '/requests?limit=100')
      return all.data.filter((row) => JSON.stringify(row).includes(data.id))
    }
    return await untilAnswer(rows, (own) => own.length >= count)
  }

  it('makes keys, lets them in, and has a row for each request', async () => {
    const key = await make({})
    await chat(clientOf(key))
    expect(await rowsOf(key, 1)).toMatchObject([{ input_tokens: 100, output_tokens: 50 }])
    await expect(chat(clientOf({ ...key, key: `${key.key}x` }))).rejects.toMatchObject({ status: 401 })
  })

  it('holds a budget, however many requests come at once', async () => {
    // A request may cost $0.01 for its answer, and not quite a thousandth for itself.
    const key = await make({ limit: 0.05 })
    const asked = Array.from({ length: 20 }, () => chat(clientOf(key)))
    const outcomes = await Promise.allSettled(asked)
    const refused = outcomes.filter((outcome) => outcome.status === 'rejected')
    expect(refused.length).toBeGreaterThan(0)
    for (const { reason } of refused) expect(reason).toMatchObject({ status: 429, code: 'insufficient_quota' })
    await rowsOf(key, 20)
    const spent = ((20 - refused.length) * 600) / 1e6
    const look = () => operate<{ data: Record<string, number> }>('GET', `/keys/${key.data.id}`)
    // The last one may not have settled yet.
    const left = (50_000 - spent * 1e6) / 1e6
    const { data } = await untilAnswer(look, ({ data }) => data.limit_remaining === left)
    expect(data).toMatchObject({ limit: 0.05, usage: spent, lost: 0 })
  })

  it('counts requests a minute for all isolates, and tells what is left', async () => {
    const key = await make({ rpm_limit: 2 })
    const { response } = await chat(clientOf(key)).withResponse()
    expect(response.headers.get('x-ratelimit-remaining-requests')).toBe('1')
    await chat(clientOf(key))
    await expect(chat(clientOf(key))).rejects.toMatchObject({ status: 429, code: 'rate_limit_exceeded' })
  })

  it('has a row for each response by WebSocket, and settles it', async () => {
    const key = await make({ limit: 1 })
    const socket = await connectSocket(`${baseURL}/responses`, { headers: { authorization: `Bearer ${key.key}` } })
    const events = await create(socket, { model: 'm', input: 'hi' })
    expect(last(events).type).toBe('response.completed')
    expect(await rowsOf(key, 1)).toMatchObject([{ input_tokens: 100, output_tokens: 50 }])
    const left = async () =>
      (await operate<{ data: Record<string, number> }>('GET', `/keys/${key.data.id}`)).data.limit_remaining
    await untilAnswer(left, (dollars) => dollars === 1 - 600 / 1e6)
    socket.ws.close()
  })

  it('stores what many clients store at once, each for its key', async () => {
    const [ada, eve] = [clientOf(await make({ name: 'Ada' })), clientOf(await make({ name: 'Eve' }))]
    const { id: conversation } = await ada.conversations.create()
    const made = await Promise.all(
      Array.from({ length: 12 }, async (_, at) => {
        const asked = { model: 'm', input: `I am number ${at}.`, ...(at % 3 === 0 && { conversation }) }
        if (at % 2) return (await ada.responses.create(asked)).id
        for await (const event of await ada.responses.create({ ...asked, stream: true }))
          if (event.type === 'response.completed') return event.response.id
        return ''
      }),
    )
    expect(await Promise.all(made.map(async (id) => (await ada.responses.retrieve(id)).output_text))).toEqual(
      made.map(() => 'hello'),
    )
    const items: unknown[] = []
    for await (const item of ada.conversations.items.list(conversation)) items.push(item)
    expect(items).toHaveLength(8)
    const [id = ''] = made
    await expect(eve.responses.retrieve(id)).rejects.toMatchObject({ status: 404 })
    await ada.responses.create({ model: 'm', input: 'Who am I?', previous_response_id: made[1] ?? '' })
    expect(upstream.seen.at(-1)?.body).toMatch(/I am number 1\..*hello.*Who am I/)
    const { data } = await ada.chat.completions.list()
    expect(data).toEqual([])
    await chat(ada, { store: true, metadata: { a: 'b' } })
    expect(upstream.seen.at(-1)?.body).not.toMatch(/store|metadata/)
    expect((await ada.chat.completions.list({ metadata: { a: 'b' } })).data).toHaveLength(1)
  })

  it('refuses a key from when it is disabled or deleted', async () => {
    const key = await make({})
    await chat(clientOf(key))
    await operate('PATCH', `/keys/${key.data.id}`, { disabled: true })
    await expect(chat(clientOf(key))).rejects.toMatchObject({ status: 401, message: /disabled/ })
    await operate('PATCH', `/keys/${key.data.id}`, { disabled: false })
    await chat(clientOf(key))
    await operate('DELETE', `/keys/${key.data.id}`)
    await expect(chat(clientOf(key))).rejects.toMatchObject({ status: 401 })
  })
})
