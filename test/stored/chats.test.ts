import OpenAI from 'openai'
import { beforeAll, describe, expect, it } from 'vitest'
import { noLists } from '../support/ask.ts'
import { gatewayStarter, serveUpstreams } from '../support/gateway.ts'
import { ada, eve, storedParts } from '../support/stored.ts'
import { chunk, json, stream } from '../support/upstream.ts'

let count = 0
const start = gatewayStarter()
const upstreams = serveUpstreams({
  up(request, reply, socket) {
    const { model, stream: isStream } = JSON.parse(request.body) as { model: string; stream?: boolean }
    const id = `chatcmpl-${++count}`
    const choice = { index: 0, message: { role: 'assistant', content: 'Hello.' }, finish_reason: 'stop' }
    const whole = { id, object: 'chat.completion', created: 1_700_000_000, model, choices: [choice] }
    if (!isStream) return json(200, whole)(request, reply, socket)
    const events = [chunk({ role: 'assistant', content: 'Hel' }), chunk({ content: 'lo.' }), chunk({}, 'stop')]
    const named = events.map((event) => event.replace('chatcmpl-fake', id))
    return stream([...named, 'data: [DONE]\n\n'])(request, reply, socket)
  },
})

let client: OpenAI
let other: OpenAI
beforeAll(async () => {
  const providers = { up: { type: 'openai-compatible', baseURL: `${upstreams.up.url}/v1` } }
  const { baseURL } = await start({ providers }, { ...(await storedParts()), services: noLists })
  ;[client, other] = [ada, eve].map((apiKey) => new OpenAI({ baseURL, apiKey, maxRetries: 0 })) as [OpenAI, OpenAI]
})

const hi = [
  { role: 'system' as const, content: 'Be kind.' },
  { role: 'user' as const, content: [{ type: 'text' as const, text: 'hi' }] },
]

describe('A chat', () => {
  it('is stored only if its client says so', async () => {
    const { id } = await client.chat.completions.create({ model: 'up/m', messages: hi })
    await expect(client.chat.completions.retrieve(id)).rejects.toMatchObject({ status: 404 })
  })

  it('is read back, changed and deleted', async () => {
    const made = await client.chat.completions.create({
      model: 'up/m',
      messages: hi,
      store: true,
      metadata: { a: 'b' },
    })
    const { chat } = client
    expect(await chat.completions.retrieve(made.id)).toMatchObject({ ...made, metadata: { a: 'b' }, temperature: null })
    expect(await chat.completions.update(made.id, { metadata: { c: 'd' } })).toMatchObject({ metadata: { c: 'd' } })
    const messages = await chat.completions.messages.list(made.id)
    expect(messages.data).toEqual([
      { id: `${made.id}-0`, role: 'system', content: 'Be kind.', content_parts: null },
      { id: `${made.id}-1`, role: 'user', content: 'hi', content_parts: [{ type: 'text', text: 'hi' }] },
    ])
    const [last] = (await chat.completions.messages.list(made.id, { order: 'desc', limit: 1 })).data
    expect(last?.id).toBe(`${made.id}-1`)
    const gone = { id: made.id, object: 'chat.completion.deleted', deleted: true }
    expect(await chat.completions.delete(made.id)).toMatchObject(gone)
    await expect(chat.completions.retrieve(made.id)).rejects.toMatchObject({ status: 404 })
  })

  it('is stored as the whole that its stream amounts to', async () => {
    const chunks = await client.chat.completions.create({ model: 'up/m', messages: hi, store: true, stream: true })
    let id = ''
    for await (const chunk of chunks) id = chunk.id
    const { choices, object } = await client.chat.completions.retrieve(id)
    expect([object, choices[0]?.message.content, choices[0]?.finish_reason]).toEqual([
      'chat.completion',
      'Hello.',
      'stop',
    ])
  })

  it('is found by its model and its metadata, in pages', async () => {
    const made: string[] = []
    for (const [model, team] of [
      ['x', '1'],
      ['y', '1'],
      ['x', '2'],
      ['x', '1'],
    ] as const) {
      const asked = { model: `up/${model}`, messages: hi, store: true, metadata: { team, kind: 'page' } }
      made.push((await client.chat.completions.create(asked)).id)
    }
    const [a, b, c, d] = made
    const listed = async (query: OpenAI.ChatCompletionListParams) => {
      const all: string[] = []
      for await (const { id } of client.chat.completions.list({ metadata: { kind: 'page' }, ...query })) all.push(id)
      return all
    }
    expect(await listed({ limit: 3 })).toEqual([a, b, c, d])
    expect(await listed({ limit: 1, order: 'desc' })).toEqual([d, c, b, a])
    expect(await listed({ model: 'y' })).toEqual([b])
    expect(await listed({ metadata: { team: '1' }, model: 'x', limit: 1 })).toEqual([a, d])
    expect(await client.chat.completions.list({ limit: 1, metadata: { kind: 'page' } })).toMatchObject({
      has_more: true,
    })
  })

  it.each([
    [{}, '{"model":"m","messages":[{"role":"user","content":"hi"}],"seed":12345678901234567890}'],
    [
      { passOn: true },
      '{"model":"m","messages":[{"role":"user","content":"hi"}],"store":true,"metadata":{"a":"b"},"seed":12345678901234567890}',
    ],
  ])('that is stored is asked of its provider as %j says', async (settings, sent) => {
    const providers = { up: { type: 'openai-compatible', baseURL: `${upstreams.up.url}/v1` } }
    const parts = await storedParts(undefined, {}, settings)
    const { baseURL } = await start({ providers }, { ...parts, services: noLists })
    const ask = async (more: string) => {
      const body = `{"model":"up/m","messages":[{"role":"user","content":"hi"}],${more}"seed":12345678901234567890}`
      const headers = { authorization: `Bearer ${ada}`, 'content-type': 'application/json' }
      const answer = await fetch(`${baseURL}/chat/completions`, { method: 'POST', headers, body })
      return ((await answer.json()) as { id: string }).id
    }
    const id = await ask('"store":true,"metadata":{"a":"b"},')
    expect(upstreams.up.seen.at(-1)?.body).toBe(sent)
    const by = new OpenAI({ baseURL, apiKey: ada })
    expect(await by.chat.completions.retrieve(id)).toMatchObject({ metadata: { a: 'b' } })
    await ask('"store":false,"metadata":{"a":"b"},')
    expect(upstreams.up.seen.at(-1)?.body).toContain('"store":false,"metadata":{"a":"b"}')
  })

  it('that its provider stores too is nobody else’s there, though it is deleted here', async () => {
    const up = { type: 'openai-compatible', baseURL: `${upstreams.up.url}/v1` } as const
    const parts = await storedParts(undefined, {}, { passOn: true })
    const config = { providers: { up }, passThrough: 'up' }
    const { baseURL } = await start(config, { ...parts, services: noLists })
    const [mine, theirs] = [ada, eve].map(
      (apiKey) => new OpenAI({ baseURL, apiKey, maxRetries: 0 }).chat.completions,
    ) as [OpenAI.Chat.Completions, OpenAI.Chat.Completions]
    const { id } = await mine.create({ model: 'up/m', messages: hi, store: true })
    await mine.delete(id)
    const count = upstreams.up.seen.length
    await expect(theirs.retrieve(id)).rejects.toMatchObject({ status: 404 })
    expect(upstreams.up.seen).toHaveLength(count)
    upstreams.up.script(json(200, { id }))
    expect(await mine.retrieve(id)).toMatchObject({ id })
  })

  it('is nobody else’s', async () => {
    const { id } = await client.chat.completions.create({ model: 'up/m', messages: hi, store: true })
    const theirs = other.chat.completions
    const all = [
      () => theirs.retrieve(id),
      () => theirs.delete(id),
      () => theirs.update(id, { metadata: {} }),
      () => theirs.messages.list(id),
    ]
    for (const refused of all) await expect(refused()).rejects.toMatchObject({ status: 404 })
    expect((await theirs.list()).data).toEqual([])
    expect((await client.chat.completions.retrieve(id)).id).toBe(id)
  })

  it.each([
    ['no metadata', {}],
    ['metadata that is a text', { metadata: 'a' }],
    ['metadata with a number', { metadata: { a: 1 } }],
    ['too much metadata', { metadata: Object.fromEntries(Array.from({ length: 17 }, (_, at) => [at, ''])) }],
    ['a value that is too long', { metadata: { a: 'x'.repeat(513) } }],
  ])('isn’t changed by %s', async (_, wrong) => {
    const { id } = await client.chat.completions.create({ model: 'up/m', messages: hi, store: true })
    const changed = client.chat.completions.update(id, wrong as { metadata: Record<string, string> })
    await expect(changed).rejects.toMatchObject({ status: 400, param: expect.stringMatching(/^metadata/) })
  })
})
