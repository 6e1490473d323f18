import OpenAI from 'openai'
import { beforeAll, describe, expect, it } from 'vitest'
import type { Config } from '../../src/config/schema.ts'
import { keptInMemory } from '../support/accounting.ts'
import { noLists } from '../support/ask.ts'
import { type GatewayOptions, gatewayStarter, type RunningGateway, serveUpstreams } from '../support/gateway.ts'
import { create, last } from '../support/response-socket.ts'
import { message, response } from '../support/responses.ts'
import { connectSocket } from '../support/socket-client.ts'
import { ada, eve, type StoredParts, storedParts } from '../support/stored.ts'
import { chatAnswer, chatFrames, json, stream } from '../support/upstream.ts'

const start = gatewayStarter()
const upstreams = serveUpstreams({
  up: (request, reply, socket) =>
    request.body.includes('"stream":true')
      ? stream(chatFrames('Hel', 'lo.'))(request, reply, socket)
      : json(200, chatAnswer('Hello.'))(request, reply, socket),
  other: json(200, { id: 'conv_theirs', theirs: true }),
})
let parts: StoredParts
beforeAll(async () => {
  parts = await storedParts()
})

const gatewayWith = (config: Config = {}, options: GatewayOptions = {}): Promise<RunningGateway> => {
  const { up, other } = upstreams
  const providers = {
    up: { type: 'openai-compatible', baseURL: `${up.url}/v1` },
    other: { type: 'openai', baseURL: `${other.url}/v1`, apiKey: 'env:OTHER' },
  }
  const env = { ...parts.env, OTHER: 'sk-other' }
  return start({ providers, ...config }, { ...parts, env, services: noLists, ...options })
}
const clientOf = ({ baseURL }: RunningGateway, apiKey: string = ada) => new OpenAI({ baseURL, apiKey, maxRetries: 0 })
const sent = () => JSON.parse(upstreams.up.seen.at(-1)?.body ?? '{}') as { messages: { content: string }[] }
const said = () => sent().messages.map(({ content }) => content)

describe('What is stored', () => {
  it('by one connection is gone on from by another, with or without being stored itself', async () => {
    const gateway = await gatewayWith()
    const open = () => connectSocket(`${gateway.baseURL}/responses`, { headers: { authorization: `Bearer ${ada}` } })
    const first = await open()
    const { id } = last(await create(first, { model: 'up/m', input: 'I am Ada.' })).response
    first.ws.close()
    const second = await open()
    const next = { model: 'up/m', input: 'Who am I?', previous_response_id: id, store: false }
    expect(last(await create(second, next)).response).toMatchObject({ status: 'completed', previous_response_id: id })
    expect(said()).toEqual(['I am Ada.', 'Hello.', 'Who am I?'])
    second.ws.close()
    expect(await clientOf(gateway).responses.retrieve(String(id))).toMatchObject({ output_text: 'Hello.' })
  })

  it('is another one each time, although the answer was kept for the same request', async () => {
    const client = clientOf(await gatewayWith({ cache: { ttl: 60 } }))
    const asked = { model: 'up/m', input: 'Again?' }
    const [first, second] = [await client.responses.create(asked), await client.responses.create(asked)]
    expect(upstreams.up.seen).toHaveLength(1)
    expect(second.id).not.toBe(first.id)
    await client.responses.delete(first.id)
    expect(await client.responses.retrieve(second.id)).toMatchObject({ id: second.id, output_text: 'Hello.' })
  })

  it('is no more than 16 MB of it, which its answer tells', async () => {
    const client = clientOf(await gatewayWith())
    const made = await client.responses.create({ model: 'up/m', input: 'x'.repeat(17 * 1024 * 1024) })
    expect(made).toMatchObject({ store: false, output_text: 'Hello.' })
    await expect(client.responses.retrieve(made.id)).rejects.toMatchObject({ status: 404 })
    expect(parts.logged.join()).toContain('too much to be kept')
  })

  it('counts for what is counted, and for a summary', async () => {
    const client = clientOf(await gatewayWith())
    const { id } = await client.responses.create({ model: 'up/m', input: 'I am Ada, and this is long. '.repeat(20) })
    const short = await client.responses.inputTokens.count({ model: 'up/m', input: 'hi' })
    const long = await client.responses.inputTokens.count({ model: 'up/m', input: 'hi', previous_response_id: id })
    expect(long.input_tokens).toBeGreaterThan(short.input_tokens + 100)
    await client.responses.compact({ model: 'up/m', input: 'hi', previous_response_id: id })
    expect(said()[0]).toContain('I am Ada')
  })

  it('is the same owner’s for all who need no key', async () => {
    const { accounting } = await keptInMemory()
    const gateway = await gatewayWith({}, { env: { OTHER: 'x' }, accounting })
    const { id } = await clientOf(gateway, 'none').responses.create({ model: 'up/m', input: 'hi' })
    expect(await clientOf(gateway, 'any').responses.retrieve(id)).toMatchObject({ id })
  })

  it('comes before what is passed on, and what isn’t known is passed on', async () => {
    const client = clientOf(await gatewayWith({ passThrough: 'other' }))
    const { id } = await client.responses.create({ model: 'up/m', input: 'hi' })
    expect(await client.responses.retrieve(id)).toMatchObject({ output_text: 'Hello.' })
    expect(upstreams.other.seen).toEqual([])
    expect(await client.responses.retrieve('resp_unknown')).toMatchObject({ theirs: true })
    expect(await client.conversations.update('conv_unknown', { metadata: { a: 'b' } })).toMatchObject({ theirs: true })
    expect(upstreams.other.seen.map(({ method, path, body }) => [method, path, body])).toEqual([
      ['GET', '/v1/responses/resp_unknown', ''],
      ['POST', '/v1/conversations/conv_unknown', '{"metadata":{"a":"b"}}'],
    ])
    const headers = { 'x-samewire-provider': 'other' }
    expect((await client.conversations.create({}, { headers })).id).toBe('conv_theirs')
    expect((await client.conversations.create({})).id).not.toBe('conv_theirs')
  })

  it('is nobody else’s, so that nobody asks the provider for it either', async () => {
    const gateway = await gatewayWith({ passThrough: 'other' })
    const [client, theirs] = [clientOf(gateway), clientOf(gateway, eve)]
    const messages = [{ role: 'user' as const, content: 'secret' }]
    const chat = await client.chat.completions.create({ model: 'up/m', messages, store: true })
    const { id } = await client.conversations.create({})
    const items = [{ role: 'user' as const, content: 'mine' }]
    for (const refused of [
      () => theirs.chat.completions.retrieve(chat.id),
      () => theirs.chat.completions.update(chat.id, { metadata: {} }),
      () => theirs.chat.completions.messages.list(chat.id),
      () => theirs.chat.completions.delete(chat.id),
      () => theirs.conversations.retrieve(id),
      () => theirs.conversations.update(id, { metadata: {} }),
      () => theirs.conversations.items.list(id),
      () => theirs.conversations.items.create(id, { items }),
      () => theirs.conversations.items.retrieve('msg_1', { conversation_id: id }),
      () => theirs.conversations.items.delete('msg_1', { conversation_id: id }),
      () => theirs.conversations.delete(id),
    ])
      await expect(refused()).rejects.toMatchObject({ status: 404, message: expect.stringContaining('not found') })
    await expect(theirs.responses.create({ model: 'other/m', input: 'hi', conversation: id })).rejects.toMatchObject({
      ...{ status: 404, param: null, code: null },
      message: expect.stringContaining(`Conversation with id '${id}' not found.`),
    })
    expect(upstreams.other.seen).toEqual([])
    upstreams.other.script(json(200, response('completed', { output: [message('Hi.')] })))
    await client.responses.create({ model: 'other/m', input: 'hi', conversation: id })
    await theirs.responses.create({ model: 'other/m', input: 'hi', conversation: 'conv_unknown' })
    expect(upstreams.other.seen.map(({ body }) => body.includes('conv_unknown'))).toEqual([false, true])
  })

  it.each([
    ['PUT', '/responses/resp_1', 404],
    ['POST', '/responses/resp_1', 404],
    ['GET', '/responses/resp_1/cancel', 405],
    ['GET', '/responses/resp_1/more', 404],
    ['GET', '/responses/%00%ff', 404],
    ['GET', `/responses/${'x'.repeat(5_000)}`, 404],
    ['GET', "/chat/completions/' OR 1=1 --", 404],
    ['GET', '/chat/completions?limit=0', 400],
    ['GET', '/chat/completions?after=nothing', 400],
    ['GET', '/conversations', 405],
    ['HEAD', '/conversations/conv_1', 404],
  ])('isn’t found by %s %s', async (method, path, status) => {
    const gateway = await gatewayWith()
    const headers = { authorization: `Bearer ${ada}`, 'content-type': 'application/json' }
    const answer = await fetch(`${gateway.baseURL}${path}`, { method, headers })
    expect(answer.status).toBe(status)
    if (method !== 'HEAD') expect(await answer.json()).toMatchObject({ error: { type: 'invalid_request_error' } })
    expect(gateway.logged).toEqual([])
  })

  it('is for those with a key only', async () => {
    const gateway = await gatewayWith()
    await expect(clientOf(gateway, 'sk-sw-wrong').responses.retrieve('resp_1')).rejects.toMatchObject({ status: 401 })
    await expect(clientOf(gateway, 'sk-sw-wrong').conversations.create()).rejects.toMatchObject({ status: 401 })
  })
})

describe('A gateway that stores nothing', () => {
  it('refuses what needs a store, and has no such routes', async () => {
    const { up } = upstreams
    const providers = { up: { type: 'openai-compatible', baseURL: `${up.url}/v1` } }
    const client = clientOf(await start({ providers }, { services: noLists }))
    const made = await client.responses.create({ model: 'up/m', input: 'hi', store: true })
    expect(made).toMatchObject({ store: false })
    await expect(client.responses.retrieve(made.id)).rejects.toMatchObject({ status: 404 })
    await expect(client.conversations.create()).rejects.toMatchObject({ status: 404, code: 'unknown_url' })
    await expect(client.chat.completions.list()).rejects.toMatchObject({ status: 405 })
    const asked = { model: 'up/m', input: 'hi' }
    for (const [status, more] of [
      [400, { previous_response_id: made.id }],
      [404, { conversation: 'conv_1' }],
      [400, { background: true }],
    ] as const)
      await expect(client.responses.create({ ...asked, ...more })).rejects.toMatchObject({ status })
  })
})
