import type { ServerResponse } from 'node:http'
import OpenAI from 'openai'
import { beforeAll, describe, expect, it } from 'vitest'
import type { LogOutput } from '../../src/observe/observing.ts'
import { StoreError } from '../../src/state/database.ts'
import { createObjects } from '../../src/state/object-store.ts'
import { noLists, until } from '../support/ask.ts'
import { gatewayStarter, serveUpstreams } from '../support/gateway.ts'
import { memoryDatabase } from '../support/state.ts'
import { ada, type StoredParts, storedParts } from '../support/stored.ts'
import { chunk, json, type Script, stream } from '../support/upstream.ts'

const start = gatewayStarter()
/** The answers that have begun, which the tests end. */
const open: ServerResponse[] = []
const slow: Script = (_, reply) => {
  reply.writeHead(200, { 'content-type': 'text/event-stream' })
  reply.write(chunk({ role: 'assistant', content: 'Hel' }))
  open.push(reply)
}
const goOn = async () => {
  await until(() => open.length > 0)
  open.shift()?.end(`${chunk({ content: 'lo.' })}${chunk({}, 'stop')}data: [DONE]\n\n`)
}
const upstreams = serveUpstreams({ up: slow })

let parts: StoredParts
let client: OpenAI
let second: OpenAI

async function clientOf(parts: StoredParts, lines: string[] = []): Promise<OpenAI> {
  const output: LogOutput = { write: (line) => void lines.push(line), format: 'json' }
  const providers = { up: { type: 'openai-compatible', baseURL: `${upstreams.up.url}/v1` } }
  const { baseURL } = await start({ providers }, { ...parts, services: noLists, output })
  return new OpenAI({ baseURL, apiKey: ada, maxRetries: 0 })
}

beforeAll(async () => {
  parts = await storedParts()
  client = await clientOf(parts)
  second = await clientOf(await storedParts(parts.database))
})

const refusal = (error: InstanceType<typeof OpenAI.APIError>) => error.status
const asked = { model: 'up/m', input: 'hi', background: true } as const
async function ended(id: string, by = client): Promise<OpenAI.Responses.Response> {
  for (;;) {
    const response = await by.responses.retrieve(id)
    if (response.status !== 'queued' && response.status !== 'in_progress') return response
  }
}

describe('A response in the background', () => {
  it('is made although nobody waits for it, and charged when it is', async () => {
    const begun = await client.responses.create({ ...asked, metadata: { a: 'b' } })
    expect(begun).toMatchObject({ status: 'queued', background: true, store: true, output: [], metadata: { a: 'b' } })
    await until(() => open.length > 0)
    expect((await second.responses.retrieve(begun.id)).status).toMatch(/queued|in_progress/)
    await goOn()
    const response = await ended(begun.id, second)
    expect(response).toMatchObject({ id: begun.id, status: 'completed', output_text: 'Hello.', background: true })
    expect(response.created_at).toBe(begun.created_at)
    const next = client.responses.create({ model: 'up/m', input: 'And?', previous_response_id: begun.id, stream: true })
    await goOn()
    for await (const _ of await next);
    const { messages } = JSON.parse(upstreams.up.seen.at(-1)?.body ?? '') as { messages: { content: string }[] }
    expect(messages.map(({ content }) => content)).toEqual(['hi', 'Hello.', 'And?'])
  })

  it('is one request: for its limits, in the log and in the ledger, once it is over', async () => {
    const own = await storedParts(parts.database, { rpm: 10, parallel: 1 })
    const lines: string[] = []
    const busy = await clientOf(own, lines)
    const { data: begun, response } = await busy.responses.create(asked).withResponse()
    await until(() => open.length > 0)
    expect(own.rows).toEqual([])
    await expect(busy.responses.create(asked)).rejects.toMatchObject({ status: 429 })
    await goOn()
    await ended(begun.id)
    await until(() => own.rows.some(({ status }) => status === 200))
    const rows = own.rows.filter(({ status }) => status === 200)
    expect(rows).toMatchObject([
      { id: response.headers.get('x-request-id'), deployment: 'up/m', stream: false, outcome: 'done' },
    ])
    const logged = lines.map((line) => JSON.parse(line) as { id?: string }).filter(({ id }) => id === rows[0]?.id)
    expect(logged).toMatchObject([{ background: true, status: 200, served: 'up/m' }])
    const next = await busy.chat.completions
      .create({ model: 'up/m', messages: [{ role: 'user', content: 'hi' }], stream: true })
      .withResponse()
    expect(next.response.headers.get('x-ratelimit-remaining-requests')).toBe('8')
    void goOn()
    for await (const _ of next.data);
  })

  it('that is cancelled is in the ledger as one whose client left', async () => {
    const own = await storedParts(parts.database)
    const by = await clientOf(own)
    const { id } = await by.responses.create(asked)
    await until(() => open.length > 0)
    open.length = 0
    await by.responses.cancel(id)
    await until(() => own.rows.length > 0)
    expect(own.rows).toMatchObject([{ operation: 'responses', outcome: 'gone' }])
  })

  it.each(['the same process', 'another one'])('is followed by way of %s, from any event on', async (which) => {
    const reader = which === 'another one' ? second : client
    const { id } = await client.responses.create(asked)
    const numbers: number[] = []
    const types: string[] = []
    let cursor = -1
    for await (const event of await reader.responses.retrieve(id, { stream: true })) {
      cursor = event.sequence_number
      types.push(event.type)
      if (event.type === 'response.output_text.delta') break
    }
    expect(types.slice(0, 3)).toEqual(['response.created', 'response.queued', 'response.in_progress'])
    await goOn()
    let text = ''
    for await (const event of await reader.responses.retrieve(id, { stream: true, starting_after: cursor })) {
      numbers.push(event.sequence_number)
      if (event.type === 'response.output_text.delta') text += event.delta
      if (event.type === 'response.completed') expect(event.response).toMatchObject({ id, status: 'completed' })
    }
    expect(text).toBe('lo.')
    expect(numbers).toEqual(numbers.map((_, at) => cursor + 1 + at))
    expect(await reader.responses.retrieve(id)).toMatchObject({ status: 'completed' })
  })

  it('is told to the client that makes it, if that wants a stream', async () => {
    const events = await client.responses.create({ ...asked, stream: true })
    void goOn()
    const seen: OpenAI.Responses.ResponseStreamEvent[] = []
    for await (const event of events) seen.push(event)
    expect([seen[0]?.type, seen.at(-1)?.type]).toEqual(['response.created', 'response.completed'])
    expect(seen.map((event) => event.sequence_number)).toEqual(seen.map((_, at) => at))
    expect(new Set(seen.flatMap((event) => ('response' in event ? [event.response.id] : []))).size).toBe(1)
  })

  it.each(['the same process', 'another one'])('is cancelled by way of %s', async (which) => {
    const { id } = await client.responses.create(asked)
    await until(() => open.length > 0)
    open.length = 0
    const by = which === 'another one' ? second : client
    expect(await by.responses.cancel(id)).toMatchObject({ id, status: 'cancelled' })
    await upstreams.up.seen.at(-1)?.abandoned
    expect(await client.responses.retrieve(id)).toMatchObject({ status: 'cancelled' })
    expect(await by.responses.cancel(id)).toMatchObject({ status: 'cancelled' })
  })

  it('is no longer made once it is deleted', async () => {
    const { id } = await client.responses.create(asked)
    await until(() => open.length > 0)
    open.length = 0
    await client.responses.delete(id)
    await upstreams.up.seen.at(-1)?.abandoned
    await expect(client.responses.retrieve(id)).rejects.toMatchObject({ status: 404 })
    await expect(client.responses.retrieve(id, { stream: true })).rejects.toMatchObject({ status: 404 })
  })

  it('fails as its model does', async () => {
    upstreams.up.script(json(400, { error: { message: 'No such thing.', type: 'invalid_request_error' } }))
    const { id } = await client.responses.create(asked)
    const failed = await ended(id)
    expect(failed).toMatchObject({ status: 'failed', error: { message: expect.stringContaining('No such thing.') } })
    upstreams.up.script(stream([chunk({ content: 'Hel' })], 'reset'))
    expect(await ended((await client.responses.create(asked)).id)).toMatchObject({ status: 'failed' })
  })

  it('fails when the gateway is stopped', async () => {
    const own = await storedParts(parts.database)
    const { id } = await (await clientOf(own)).responses.create(asked)
    await until(() => open.length > 0)
    open.length = 0
    await own.stored.close()
    expect(await client.responses.retrieve(id)).toMatchObject({ status: 'failed', error: { code: 'server_error' } })
  })

  it('fails when the process that makes it dies', async () => {
    const objects = createObjects(parts.database)
    const response = { id: 'resp_dead', object: 'response', status: 'in_progress', background: true, output: [] }
    const key = { owner: 'key_ada', kind: 'response', id: 'resp_dead' } as const
    const times = { created: 1, expires: Date.now() + 1e6, runningUntil: Date.now() - 1 }
    await objects.put({ ...key, ...times, body: { response, input: [] } })
    expect(await client.responses.retrieve('resp_dead')).toMatchObject({ status: 'failed' })
    const types: string[] = []
    for await (const event of await client.responses.retrieve('resp_dead', { stream: true })) types.push(event.type)
    expect(types).toEqual(['response.failed'])
  })

  it('can’t be gone on from before it is over, nor be made without being stored', async () => {
    const { id } = await client.responses.create(asked)
    const next = { model: 'up/m', input: 'And?', previous_response_id: id }
    await expect(client.responses.create(next)).rejects.toMatchObject({ status: 400, param: 'previous_response_id' })
    await client.responses.cancel(id)
    await expect(client.responses.create({ ...asked, store: false })).rejects.toMatchObject({
      status: 400,
      param: 'background',
    })
  })

  it('answers what it goes on from, although that was deleted before it began', async () => {
    const memory = await memoryDatabase()
    const objects = createObjects(memory)
    const key = { owner: 'key_ada', kind: 'response', id: 'resp_first' } as const
    const said = { id: 'msg_1', type: 'message', role: 'user', content: [{ type: 'input_text', text: 'I am Ada.' }] }
    const body = { response: { id: key.id, status: 'completed' }, input: [said] }
    await objects.put({ ...key, created: 1, expires: Date.now() + 1e6, body })
    let isThere = true
    const by = await clientOf(
      await storedParts({
        all: (sql, values) => memory.all(sql, values),
        transaction: (work) => memory.transaction(work),
        close: () => memory.close(),
        async batch(statements) {
          if (isThere) isThere = !(await objects.remove(key))
          return await memory.batch(statements)
        },
      }),
    )
    open.length = 0
    const { id } = await by.responses.create({ ...asked, previous_response_id: key.id })
    await goOn()
    await ended(id, by)
    const items = await by.responses.inputItems.list(id, { order: 'asc' })
    expect([isThere, items.data.map((item) => 'content' in item && item.content)]).toMatchObject([
      false,
      [[{ text: 'I am Ada.' }], [{ text: 'hi' }]],
    ])
  })

  it('is refused where too many are being made, also when all begin at once', async () => {
    const begin = () => client.responses.create(asked).then(({ id }) => id, refusal)
    const begun = await Promise.all(Array.from({ length: 70 }, begin))
    const made = begun.filter((one) => typeof one === 'string')
    expect(begun.filter((one) => typeof one !== 'string')).toEqual(Array(6).fill(429))
    await expect(client.responses.create(asked)).rejects.toMatchObject({ status: 429 })
    await Promise.all(made.map((id) => client.responses.cancel(id)))
  })

  it('that could not be stored takes no place of another one', async () => {
    const memory = await memoryDatabase()
    let isBroken = true
    const by = await clientOf(
      await storedParts({
        all: (sql, values) => memory.all(sql, values),
        transaction: (work) => memory.transaction(work),
        close: () => memory.close(),
        batch: (statements) =>
          isBroken ? Promise.reject(new StoreError('the disk is full')) : memory.batch(statements),
      }),
    )
    const refused = await Promise.all(Array.from({ length: 64 }, () => by.responses.create(asked).catch(refusal)))
    expect(new Set(refused)).toEqual(new Set([503]))
    isBroken = false
    const { id } = await by.responses.create(asked)
    await by.responses.cancel(id)
  })

  it('is refused at once if there is no such model', async () => {
    await expect(client.responses.create({ ...asked, model: 'none' })).rejects.toMatchObject({ status: 404 })
  })
})
