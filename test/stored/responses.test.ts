import OpenAI from 'openai'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { TransactionalDatabase } from '../../src/state/database.ts'
import { createObjects } from '../../src/state/object-store.ts'
import { noLists, until } from '../support/ask.ts'
import { gatewayStarter, serveUpstreams } from '../support/gateway.ts'
import { message, response } from '../support/responses.ts'
import { memoryDatabase } from '../support/state.ts'
import { ada, eve, type StoredParts, storedParts } from '../support/stored.ts'
import { chunk, json, type Script, stream } from '../support/upstream.ts'

const start = gatewayStarter()
const says =
  (text: string): Script =>
  (request, reply, socket) => {
    const isStream = (JSON.parse(request.body) as { stream?: boolean }).stream
    const choice = { index: 0, message: { role: 'assistant', content: text }, finish_reason: 'stop' }
    const whole = {
      id: 'chatcmpl-up',
      object: 'chat.completion',
      created: 1_700_000_000,
      model: 'm',
      choices: [choice],
    }
    const usage = { prompt_tokens: 5, completion_tokens: 2, total_tokens: 7 }
    return isStream
      ? stream([chunk({ role: 'assistant', content: text }), chunk({}, 'stop'), 'data: [DONE]\n\n'])(
          request,
          reply,
          socket,
        )
      : json(200, { ...whole, usage })(request, reply, socket)
  }
const upstreams = serveUpstreams({ chat: says('Hello.'), native: undefined })

let parts: StoredParts
let baseURL: string
let client: OpenAI
let other: OpenAI

beforeAll(async () => {
  parts = await storedParts()
  const { chat, native } = upstreams
  const gateway = await start(
    {
      providers: {
        up: { type: 'openai-compatible', baseURL: `${chat.url}/v1` },
        own: { type: 'openai', baseURL: `${native.url}/v1`, apiKey: 'env:KEY' },
      },
    },
    { ...parts, env: { ...parts.env, KEY: 'sk-own' }, services: noLists },
  )
  baseURL = gateway.baseURL
  const clientOf = (apiKey: string) => new OpenAI({ baseURL, apiKey, maxRetries: 0 })
  ;[client, other] = [clientOf(ada), clientOf(eve)]
})

interface Sent {
  readonly messages: { role: string; content: unknown }[]
  readonly input: unknown
}
const sentTo = (name: keyof typeof upstreams) => JSON.parse(upstreams[name].seen.at(-1)?.body ?? '{}') as Sent
const said = () => sentTo('chat').messages.map(({ role, content }) => `${role}: ${content}`)

describe('A response of a model that only chats', () => {
  it('is stored unless its client says otherwise, and read back as it was', async () => {
    const made = await client.responses.create({ model: 'up/m', input: 'hi', metadata: { a: 'b' } })
    expect(made).toMatchObject({ store: true, status: 'completed', output_text: 'Hello.', metadata: { a: 'b' } })
    const { output_text: text, ...fields } = made
    expect(await client.responses.retrieve(made.id)).toMatchObject({ ...fields, output_text: text })
    const unstored = await client.responses.create({ model: 'up/m', input: 'hi', store: false })
    expect(unstored).toMatchObject({ store: false })
    await expect(client.responses.retrieve(unstored.id)).rejects.toMatchObject({ status: 404 })
  })

  it('is there when the last event of its stream is', async () => {
    const events = await client.responses.create({ model: 'up/m', input: 'hi', stream: true })
    for await (const event of events) {
      if (event.type !== 'response.completed') continue
      expect(event.response).toMatchObject({ store: true })
      expect(await client.responses.retrieve(event.response.id)).toMatchObject(event.response)
    }
    expect.assertions(2)
  })

  it('has its end told once it is stored, which nothing before waits for', async () => {
    const memory = await memoryDatabase()
    const gate = Promise.withResolvers<void>()
    let writes = 0
    const database: TransactionalDatabase = {
      all: (sql, values) => memory.all(sql, values),
      transaction: (work) => memory.transaction(work),
      close: () => memory.close(),
      async batch(statements) {
        writes++
        await gate.promise
        return await memory.batch(statements)
      },
    }
    const providers = { up: { type: 'openai-compatible', baseURL: `${upstreams.chat.url}/v1` } }
    const gateway = await start({ providers }, { ...(await storedParts(database)), services: noLists })
    const slow = new OpenAI({ baseURL: gateway.baseURL, apiKey: ada, maxRetries: 0 })
    const told: string[] = []
    const follow = async (events: AsyncIterable<{ type?: string; choices?: unknown[] }>) => {
      for await (const { type = 'chunk' } of events) told.push(type)
      told.push('over')
    }
    const asked = { model: 'up/m', stream: true } as const
    const messages = [{ role: 'user' as const, content: 'hi' }]
    const response = follow(await slow.responses.create({ ...asked, input: 'hi' }))
    await until(() => told.includes('response.output_item.done') && writes === 1)
    const chat = follow(await slow.chat.completions.create({ ...asked, messages, store: true }))
    await until(() => writes === 2)
    expect(told).not.toContain('response.completed')
    expect(told).not.toContain('over')
    gate.resolve()
    await Promise.all([response, chat])
    expect(told.filter((type) => /completed|over/.test(type)).toSorted()).toEqual([
      'over',
      'over',
      'response.completed',
    ])
  })

  it('is gone on from, with all that was said before, but without its instructions', async () => {
    const first = await client.responses.create({ model: 'up/m', input: 'I am Ada.', instructions: 'Be brief.' })
    const second = await client.responses.create({ model: 'up/m', input: 'Who am I?', previous_response_id: first.id })
    expect(second.previous_response_id).toBe(first.id)
    expect(said()).toEqual(['user: I am Ada.', 'assistant: Hello.', 'user: Who am I?'])
    await client.responses.delete(first.id)
    const third = { model: 'up/m', input: 'And now?', previous_response_id: second.id, stream: true } as const
    for await (const event of await client.responses.create(third))
      if ('response' in event) expect(event.response.previous_response_id).toBe(second.id)
    expect(said()).toEqual([
      ...['user: I am Ada.', 'assistant: Hello.', 'user: Who am I?', 'assistant: Hello.'],
      'user: And now?',
    ])
  })

  it('takes no more room the longer its conversation is, and answers all of it', async () => {
    let previous: string | undefined
    const sizes: number[] = []
    const size = async () => {
      const sql = `SELECT (SELECT SUM(LENGTH(body)) FROM objects) + (SELECT SUM(LENGTH(body)) FROM items) AS size`
      return Number((await parts.database.all(sql))[0]?.size)
    }
    for (let turn = 10; turn < 40; turn++) {
      const before = await size()
      previous = (
        await client.responses.create({ model: 'up/m', input: `Turn ${turn}.`, previous_response_id: previous ?? null })
      ).id
      sizes.push((await size()) - before)
    }
    expect(Math.max(...sizes.slice(1)) - Math.min(...sizes.slice(1))).toBe(0)
    expect(said().filter((one) => one.startsWith('user'))).toEqual(
      Array.from({ length: 30 }, (_, at) => `user: Turn ${at + 10}.`),
    )
    const items: unknown[] = []
    for await (const item of client.responses.inputItems.list(previous ?? '', { order: 'asc', limit: 7 }))
      items.push(item)
    expect(items).toHaveLength(59)
  })

  it('answers what it went on from, although that was deleted before it was made', async () => {
    const first = await client.responses.create({ model: 'up/m', input: 'I am Ada.' })
    upstreams.chat.script(async (...asked) => {
      await client.responses.delete(first.id)
      return says('Right.')(...asked)
    }, says('Hello.'))
    const second = await client.responses.create({ model: 'up/m', input: 'Am I?', previous_response_id: first.id })
    await client.responses.create({ model: 'up/m', input: 'Sure?', previous_response_id: second.id })
    expect(said()).toEqual(['user: I am Ada.', 'assistant: Hello.', 'user: Am I?', 'assistant: Right.', 'user: Sure?'])
  })

  it('that was kept with its whole history is read, and gone on from', async () => {
    const objects = createObjects(parts.database)
    const [asked, answered] = [
      { id: 'msg_1', type: 'message', role: 'user', content: [{ type: 'input_text', text: 'I am Ada.' }] },
      { id: 'msg_2', type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'Hi.' }] },
    ]
    const kept = { id: 'resp_old', object: 'response', status: 'completed', model: 'm', output: [answered] }
    const times = { created: Date.now(), expires: Date.now() + 1e6 }
    const key = { owner: 'key_ada', kind: 'response', id: 'resp_old' } as const
    await objects.put({ ...key, ...times, body: { response: kept, input: [asked] } }, [answered])
    expect(await client.responses.retrieve('resp_old')).toMatchObject({ output_text: 'Hi.', output: [answered] })
    const next = await client.responses.create({ model: 'up/m', input: 'Me?', previous_response_id: 'resp_old' })
    expect(said()).toEqual(['user: I am Ada.', 'assistant: Hi.', 'user: Me?'])
    const items = await client.responses.inputItems.list(next.id, { order: 'asc' })
    expect(items.data.map(({ id }) => id).slice(0, 2)).toEqual(['msg_1', 'msg_2'])
  })

  it('has its calls answered by their results', async () => {
    const call = { id: 'call_1', type: 'function', function: { name: 'add', arguments: '{"a":1}' } }
    const choice = {
      index: 0,
      message: { role: 'assistant', content: null, tool_calls: [call] },
      finish_reason: 'tool_calls',
    }
    upstreams.chat.script(
      json(200, { id: 'chatcmpl-up', object: 'chat.completion', model: 'm', choices: [choice] }),
      says('2'),
    )
    const tools = [{ type: 'function' as const, name: 'add', parameters: {}, strict: false }]
    const first = await client.responses.create({ model: 'up/m', input: 'Add.', tools })
    const result = { type: 'function_call_output' as const, call_id: 'call_1', output: '2' }
    const next = { model: 'up/m', tools, previous_response_id: first.id }
    await client.responses.create({ ...next, input: [result] })
    expect(sentTo('chat').messages.map(({ role }) => role)).toEqual(['user', 'assistant', 'tool'])
    await expect(client.responses.create({ ...next, input: [{ ...result, call_id: 'call_2' }] })).rejects.toMatchObject(
      { status: 400, message: expect.stringContaining('No tool call found') },
    )
  })

  it.each([false, true])(
    'brings its model what that needs back with its calls, unseen by the client (stream: %s)',
    async (isStream) => {
      const signed = { google: { thought_signature: 'c2lnbmVk' } }
      const call = {
        index: 0,
        id: 'call_1',
        type: 'function',
        function: { name: 'add', arguments: '{}' },
        extra_content: signed,
      }
      const message = { role: 'assistant', content: null, tool_calls: [call] }
      const choices = [{ index: 0, message, finish_reason: 'tool_calls' }]
      const whole = json(200, { id: 'chatcmpl-up', object: 'chat.completion', model: 'm', choices })
      const frames = [chunk({ role: 'assistant', tool_calls: [call] }), chunk({}, 'tool_calls'), 'data: [DONE]\n\n']
      upstreams.chat.script(isStream ? stream(frames) : whole, says('2'))
      const tools = [{ type: 'function' as const, name: 'add', parameters: {}, strict: false }]
      const asked = { model: 'up/m', input: 'Add.', tools }
      const told: unknown[] = []
      let id = ''
      if (isStream)
        for await (const event of await client.responses.create({ ...asked, stream: true })) {
          told.push(event)
          if ('response' in event) id = event.response.id
        }
      else {
        const made = await client.responses.create(asked)
        id = made.id
        told.push(made)
      }
      told.push(await client.responses.retrieve(id))
      expect(JSON.stringify(told)).not.toContain('encrypted_content')
      const all = await client.responses.retrieve(id, { include: ['reasoning.encrypted_content'] })
      expect(JSON.stringify(all)).toContain('encrypted_content')
      const result = { type: 'function_call_output' as const, call_id: 'call_1', output: '2' }
      const next = await client.responses.create({ model: 'up/m', tools, previous_response_id: id, input: [result] })
      expect(sentTo('chat').messages[1]).toMatchObject({ tool_calls: [{ id: 'call_1', extra_content: signed }] })
      expect(JSON.stringify(await client.responses.inputItems.list(next.id))).not.toContain('encrypted_content')
    },
  )

  it('has items that later requests name by their ids', async () => {
    const first = await client.responses.create({ model: 'up/m', input: 'I am Ada.' })
    const [item] = first.output
    const input = [
      { role: 'user' as const, content: 'I am Ada.' },
      { type: 'item_reference' as const, id: item?.id ?? '' },
      { role: 'user' as const, content: 'Who am I?' },
    ]
    await client.responses.create({ model: 'up/m', input })
    expect(said()).toEqual(['user: I am Ada.', 'assistant: Hello.', 'user: Who am I?'])
    await expect(other.responses.create({ model: 'up/m', input })).rejects.toMatchObject({ status: 400 })
    // That one goes nowhere by its id: models that only chat get what it says, and no provider keeps it.
    const whole = [
      { ...item, type: 'message' as const, role: 'assistant' as const, content: 'Hello.' },
      ...input.slice(2),
    ]
    await other.responses.create({ model: 'up/m', input: whole as OpenAI.Responses.ResponseInput })
    expect(said()).toEqual(['assistant: Hello.', 'user: Who am I?'])
  })

  it('lists what it answers, newest first, in pages', async () => {
    const first = await client.responses.create({ model: 'up/m', input: 'one' })
    const input = [
      { role: 'user' as const, content: 'two' },
      { role: 'user' as const, content: [{ type: 'input_text' as const, text: 'three' }] },
    ]
    const { id } = await client.responses.create({ model: 'up/m', input, previous_response_id: first.id })
    const texts: unknown[] = []
    for await (const item of client.responses.inputItems.list(id, { limit: 2 }))
      texts.push('content' in item && item.content?.map((part) => 'text' in part && part.text).join())
    expect(texts).toEqual(['three', 'two', 'Hello.', 'one'])
    const page = await client.responses.inputItems.list(id, { order: 'asc', limit: 1 })
    expect(page).toMatchObject({ has_more: true, data: [{ type: 'message', role: 'user', status: 'completed' }] })
    for (const wrong of [{ limit: 101 }, { order: 'up' as 'asc' }, { after: 'msg_none' }])
      await expect(client.responses.inputItems.list(id, wrong)).rejects.toMatchObject({ status: 400 })
  })

  it('is told again as a stream', async () => {
    const { id } = await client.responses.create({ model: 'up/m', input: 'hi' })
    const types: string[] = []
    for await (const event of await client.responses.retrieve(id, { stream: true, starting_after: 1 }))
      types.push(event.type)
    expect([types[0], types.at(-1)]).toEqual(['response.output_item.added', 'response.completed'])
    await expect(client.responses.cancel(id)).rejects.toMatchObject({ status: 400 })
  })

  it('is nobody else’s: not to read, to list, to delete, nor to go on from', async () => {
    const { id } = await client.responses.create({ model: 'up/m', input: 'secret' })
    const refusal = { status: 404, message: expect.stringContaining(`Response with id '${id}' not found.`) }
    await expect(other.responses.retrieve(id)).rejects.toMatchObject(refusal)
    await expect(other.responses.delete(id)).rejects.toMatchObject(refusal)
    await expect(other.responses.cancel(id)).rejects.toMatchObject(refusal)
    await expect(other.responses.inputItems.list(id)).rejects.toMatchObject(refusal)
    await expect(
      other.responses.create({ model: 'up/m', input: 'hi', previous_response_id: id }),
    ).rejects.toMatchObject({ status: 400, code: 'previous_response_not_found' })
    await client.responses.delete(id)
    await expect(client.responses.retrieve(id)).rejects.toMatchObject(refusal)
  })

  it('goes to its client even if it can’t be kept', async () => {
    const broken = await storedParts()
    await broken.database.all('DROP TABLE items')
    const { chat } = upstreams
    const providers = { up: { type: 'openai-compatible', baseURL: `${chat.url}/v1` } }
    const gateway = await start({ providers }, { ...broken, services: noLists })
    const client = new OpenAI({ baseURL: gateway.baseURL, apiKey: ada, maxRetries: 0 })
    expect(await client.responses.create({ model: 'up/m', input: 'hi' })).toMatchObject({
      store: false,
      status: 'completed',
    })
    expect(broken.logged.join()).toContain("can't be written")
    await broken.database.all('DROP TABLE objects')
    await expect(client.responses.retrieve('resp_1')).rejects.toMatchObject({ status: 503, code: 'store_unavailable' })
  })

  it('whose stream breaks off is stored as failed', async () => {
    upstreams.chat.script(stream([chunk({ role: 'assistant', content: 'Hel' })], 'reset'))
    const events = await client.responses.create({ model: 'up/m', input: 'hi', stream: true })
    let id = ''
    for await (const event of events) if (event.type === 'response.failed') id = event.response.id
    expect(await client.responses.retrieve(id)).toMatchObject({ status: 'failed' })
  })
})

describe('A response that its provider keeps', () => {
  const kept = response('completed', { store: true, output: [message('Hi.')] })
  const made = JSON.stringify({ ...kept, id: 'resp_theirs' }).replace(/}$/, ',  "n":1e400}')

  beforeEach(() => upstreams.native.script(json(200, made)))

  /** Has a client make a response with an item by this id. What is made later has others. */
  async function makeSecret(item: string): Promise<void> {
    upstreams.native.script(json(200, { ...kept, id: 'resp_secret', output: [{ ...message('Hi.'), id: item }] }))
    await client.responses.create({ model: 'own/m', input: 'secret' })
    upstreams.native.script(json(200, { ...kept, id: 'resp_later', output: [] }))
  }

  it('goes out byte for byte, and is asked for there', async () => {
    const ask = (path: string, init: RequestInit = {}) =>
      fetch(`${baseURL}${path}`, {
        ...init,
        headers: { authorization: `Bearer ${ada}`, 'content-type': 'application/json' },
      })
    const body = '{"model":"own/m",  "input":"hi", "previous_response_id":"resp_older"}'
    const answer = await ask('/responses', { method: 'POST', body })
    expect(await answer.text()).toBe(made)
    expect(sentTo('native')).toMatchObject({ previous_response_id: 'resp_older', input: 'hi' })
    upstreams.native.script(json(200, '{"id":"resp_theirs",  "n":1e400}'))
    expect(await (await ask('/responses/resp_theirs?include[]=a')).text()).toBe('{"id":"resp_theirs",  "n":1e400}')
    expect(upstreams.native.seen.at(-1)).toMatchObject({ method: 'GET', path: '/v1/responses/resp_theirs?include[]=a' })
    expect(upstreams.native.seen.at(-1)?.headers.authorization).toBe('Bearer sk-own')
    await ask('/responses/resp_theirs/cancel', { method: 'POST' })
    expect(upstreams.native.seen.at(-1)).toMatchObject({ method: 'POST', path: '/v1/responses/resp_theirs/cancel' })
    const count = upstreams.native.seen.length
    await expect(other.responses.retrieve('resp_theirs')).rejects.toMatchObject({ status: 404 })
    expect(upstreams.native.seen).toHaveLength(count)
  })

  const passed = { 'x-samewire-provider': 'own' }

  it.each([
    ['GET', ''],
    ['HEAD', ''],
    ['GET', '?stream=true'],
    ['DELETE', ''],
    ['GET', '/input_items'],
    ['POST', '/cancel'],
    ['POST', ''],
    ['PATCH', ''],
    ['GET', '/more'],
    ['GET', ';a=b'],
    ['GET', '%20'],
  ])('is nobody else’s at its provider either: %s /responses/{id}%s', async (method, more) => {
    const { id } = await client.responses.create({ model: 'own/m', input: 'secret' })
    const ask = (path: string, key: string) =>
      fetch(`${baseURL}${path}`, {
        method,
        headers: { ...passed, authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      })
    const count = upstreams.native.seen.length
    for (const family of ['responses', 'Responses']) {
      const refused = await ask(`/${family}/${id}${more}`, eve)
      expect(refused.status).toBe(404)
      if (method !== 'HEAD') expect(await refused.json()).toMatchObject({ error: { type: 'invalid_request_error' } })
    }
    expect(upstreams.native.seen).toHaveLength(count)
    expect((await ask(`/responses/${id}${more}`, ada)).status).toBe(200)
    expect((await ask(`/responses/resp_unknown${more}`, eve)).status).toBe(200)
    expect(upstreams.native.seen).toHaveLength(count + 2)
  })

  it('is not gone on from by anybody else, by its id or those of its items, which nobody can tell from none', async () => {
    const { id, output } = await client.responses.create({ model: 'own/m', input: 'secret' })
    const reference = (item = '') => ({ input: [{ type: 'item_reference' as const, id: item }] })
    const count = upstreams.native.seen.length
    for (const model of ['own/m', 'up/m']) {
      const asked = { model, input: 'hi' }
      const refused = { status: 400, code: 'previous_response_not_found' }
      const goingOn = other.responses.create({ ...asked, previous_response_id: id })
      await expect(goingOn).rejects.toMatchObject({
        ...{ ...refused, param: 'previous_response_id' },
        message: expect.stringContaining(`Previous response with id '${id}' not found.`),
      })
      await expect(other.responses.inputTokens.count({ ...asked, previous_response_id: id })).rejects.toMatchObject(
        refused,
      )
      await expect(other.responses.create({ ...asked, ...reference(output[0]?.id) })).rejects.toMatchObject({
        ...{ ...refused, param: 'input[0]' },
        message: expect.stringContaining(`Item with id '${output[0]?.id}' not found.`),
      })
    }
    expect(upstreams.native.seen).toHaveLength(count)
    const asked = { model: 'own/m', input: 'hi' }
    await client.responses.create({ ...asked, previous_response_id: id })
    await client.responses.create({ ...asked, ...reference(output[0]?.id) })
    await other.responses.create({ ...asked, previous_response_id: 'resp_unknown' })
    await other.responses.create({ ...asked, ...reference('msg_unknown') })
    expect(upstreams.native.seen).toHaveLength(count + 4)
  })

  it.each([
    ['reasoning', 'input', { type: 'reasoning', summary: [] }],
    ['reasoning that is all there', 'input', { type: 'reasoning', summary: [], encrypted_content: 'x' }],
    ['a message', 'input', { type: 'message', role: 'assistant', content: [] }],
    ['a message without a type', 'input', { role: 'user', content: 'hi' }],
    ['a call', 'input', { type: 'function_call', call_id: 'call_1', name: 'f', arguments: '{}' }],
    ['a reference', 'instructions', { type: 'item_reference' }],
    ['a message', 'instructions', { type: 'message', role: 'developer', content: 'Be brief.' }],
  ])('is nobody else’s as %s in `%s` with the id of one of its items', async (_, field, item) => {
    await makeSecret('msg_theirs')
    const ask = async (key: string, id: string, length = 1) => {
      // So long a body is read by its outline, which has no long texts.
      const said = { role: 'user', content: 'x'.repeat(length) }
      const written = JSON.stringify({ model: 'own/m', input: [said], [field]: [said, { ...item, id: '#' }] })
      return await fetch(`${baseURL}/responses`, {
        method: 'POST',
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
        body: written.replace('#', id),
      })
    }
    const count = upstreams.native.seen.length
    const escaped = [...'msg_theirs'].map((one) => `\\u00${one.charCodeAt(0).toString(16)}`).join('')
    for (const refused of [ask(eve, 'msg_theirs'), ask(eve, 'msg_theirs', 50_000), ask(eve, escaped, 50_000)]) {
      expect((await refused).status).toBe(400)
      expect(await (await refused).json()).toMatchObject({
        error: {
          ...{ code: 'previous_response_not_found', param: `${field}[1]` },
          message: expect.stringContaining("Item with id 'msg_theirs' not found."),
        },
      })
    }
    expect(upstreams.native.seen).toHaveLength(count)
    for (const taken of [ask(ada, 'msg_theirs'), ask(eve, 'msg_unknown')]) expect((await taken).status).toBe(200)
    expect(upstreams.native.seen).toHaveLength(count + 2)
  })

  it('is nobody else’s by an id of an item that is longer than what an outline keeps', async () => {
    const id = `msg_${'x'.repeat(196)}`
    await makeSecret(id)
    const escaped = id.replaceAll('x', '\\u0078')
    const text = 'x'.repeat(50_000)
    const answer = await fetch(`${baseURL}/responses`, {
      method: 'POST',
      headers: { authorization: `Bearer ${eve}`, 'content-type': 'application/json' },
      body: `{"model":"own/m","instructions":"${text}","input":[{"role":"user","content":"hi","id":"${escaped}"}]}`,
    })
    expect(answer.status).toBe(400)
  })

  it('is nobody else’s in a conversation either: only its own client can put its items there', async () => {
    await makeSecret('msg_theirs')
    const items = [{ type: 'message' as const, id: 'msg_theirs', role: 'user' as const, content: 'hi' }]
    const refusal = { status: 400, param: 'items[0]', code: 'previous_response_not_found' }
    await expect(other.conversations.create({ items })).rejects.toMatchObject(refusal)
    const { id } = await other.conversations.create({})
    await expect(other.conversations.items.create(id, { items })).rejects.toMatchObject(refusal)
    const own = await client.conversations.create({ items })
    expect((await client.conversations.items.list(own.id)).data).toMatchObject([{ id: 'msg_theirs' }])
  })

  it('is nobody else’s either when its key is deleted, and with it what that had stored here', async () => {
    const { database } = parts
    const here = await client.responses.create({ model: 'up/m', input: 'hi' })
    const secret = { ...message('Hi.'), id: 'msg_secret' }
    upstreams.native.script(json(200, { ...kept, id: 'resp_secret', output: [secret] }))
    const { id } = await client.responses.create({ model: 'own/m', input: 'secret' })
    await database.all(
      `INSERT INTO keys (id, name, hint, created_at, changed_at, deleted, revision)
        VALUES ('key_ada', 'Ada', '', 0, 0, 1, 1)`,
      [],
    )
    const objects = createObjects(database)
    while (await objects.forget(Date.now()));
    await expect(client.responses.retrieve(here.id)).rejects.toMatchObject({ status: 404 })
    const count = upstreams.native.seen.length
    const asked = { model: 'own/m', input: 'hi' }
    for (const more of [
      { previous_response_id: id },
      { input: [{ type: 'item_reference' as const, id: 'msg_secret' }] },
      { input: [{ type: 'reasoning' as const, id: 'msg_secret', summary: [] }] },
    ])
      await expect(other.responses.create({ ...asked, ...more })).rejects.toMatchObject({
        ...{ status: 400, code: 'previous_response_not_found' },
      })
    expect(upstreams.native.seen).toHaveLength(count)
    await database.all("DELETE FROM keys WHERE id = 'key_ada'", [])
  })

  it('may go on from one that is kept here', async () => {
    upstreams.chat.script(says('Hello, Ada.'))
    const first = await client.responses.create({ model: 'up/m', input: 'I am Ada.' })
    const second = await client.responses.create({ model: 'own/m', input: 'Who am I?', previous_response_id: first.id })
    expect(second).toMatchObject({ id: 'resp_theirs', previous_response_id: first.id })
    const { input } = sentTo('native')
    expect(JSON.stringify(input)).toMatch(/I am Ada.*Hello, Ada.*Who am I/)
    expect(JSON.stringify(input)).not.toMatch(/"id"/)
  })
})
