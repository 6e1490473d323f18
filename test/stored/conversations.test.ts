import OpenAI from 'openai'
import { beforeAll, describe, expect, it } from 'vitest'
import { noLists } from '../support/ask.ts'
import { gatewayStarter, serveUpstreams } from '../support/gateway.ts'
import { ada, eve, storedParts } from '../support/stored.ts'
import { chatAnswer, json } from '../support/upstream.ts'

const start = gatewayStarter()
const upstreams = serveUpstreams({ up: json(200, chatAnswer('Hello.')) })
let client: OpenAI
let other: OpenAI
let second: OpenAI

beforeAll(async () => {
  const providers = { up: { type: 'openai-compatible', baseURL: `${upstreams.up.url}/v1` } }
  const parts = await storedParts()
  const clientOf = (baseURL: string, apiKey: string) => new OpenAI({ baseURL, apiKey, maxRetries: 0 })
  const { baseURL } = await start({ providers }, { ...parts, services: noLists })
  ;[client, other] = [clientOf(baseURL, ada), clientOf(baseURL, eve)]
  const process = await start({ providers }, { ...(await storedParts(parts.database)), services: noLists })
  second = clientOf(process.baseURL, ada)
})

const user = (content: string) => ({ type: 'message' as const, role: 'user' as const, content })
const message = (content: unknown) => ({ type: 'message', role: 'user', content })
const result = { type: 'function_call_output', call_id: 'call_1' }
const said = () => {
  const { messages } = JSON.parse(upstreams.up.seen.at(-1)?.body ?? '{}') as { messages: { content: string }[] }
  return messages.map(({ content }) => content)
}
const textsOf = async (id: string, order: 'asc' | 'desc' = 'asc') => {
  const texts: unknown[] = []
  for await (const item of client.conversations.items.list(id, { order, limit: 2 }))
    texts.push('content' in item && item.content?.map((part) => 'text' in part && part.text).join())
  return texts
}

describe('A conversation', () => {
  it('is made, read, changed and deleted', async () => {
    const made = await client.conversations.create({ metadata: { a: 'b' }, items: [user('one')] })
    expect(made).toMatchObject({ object: 'conversation', metadata: { a: 'b' } })
    expect(await client.conversations.retrieve(made.id)).toMatchObject(made)
    expect(await client.conversations.update(made.id, { metadata: { c: 'd' } })).toMatchObject({ metadata: { c: 'd' } })
    const gone = { id: made.id, object: 'conversation.deleted', deleted: true }
    expect(await client.conversations.delete(made.id)).toMatchObject(gone)
    await expect(client.conversations.retrieve(made.id)).rejects.toMatchObject({ status: 404 })
    await expect(client.conversations.items.list(made.id)).rejects.toMatchObject({ status: 404 })
  })

  it('has items that are added, read, listed in pages and deleted', async () => {
    const { id } = await client.conversations.create({ items: [user('one')] })
    const added = await client.conversations.items.create(id, { items: [user('two'), user('three')] })
    const item = added.data[0]
    expect(item).toMatchObject({ type: 'message', status: 'completed', content: [{ type: 'input_text', text: 'two' }] })
    expect(await textsOf(id)).toEqual(['one', 'two', 'three'])
    expect(await textsOf(id, 'desc')).toEqual(['three', 'two', 'one'])
    const place = { conversation_id: id }
    const itemId = item && 'id' in item ? String(item.id) : ''
    expect(await client.conversations.items.retrieve(itemId, place)).toMatchObject({ id: itemId })
    expect(await client.conversations.items.delete(itemId, place)).toMatchObject({ id, object: 'conversation' })
    await expect(client.conversations.items.retrieve(itemId, place)).rejects.toMatchObject({ status: 404 })
    expect(await textsOf(id)).toEqual(['one', 'three'])
  })

  it('grows by each response in it, whichever process answers', async () => {
    const { id } = await client.conversations.create({ items: [user('I am Ada.')] })
    const first = await client.responses.create({ model: 'up/m', input: 'Who am I?', conversation: id })
    expect(first.conversation).toEqual({ id })
    expect(said()).toEqual(['I am Ada.', 'Who am I?'])
    const stream = { model: 'up/m', input: 'And you?', conversation: { id }, store: false, stream: true } as const
    for await (const event of await second.responses.create(stream))
      if (event.type === 'response.completed') expect(event.response.conversation).toEqual({ id })
    expect(said()).toEqual(['I am Ada.', 'Who am I?', 'Hello.', 'And you?'])
    expect(await textsOf(id)).toEqual(['I am Ada.', 'Who am I?', 'Hello.', 'And you?', 'Hello.'])
  })

  it('is what its responses answer, as it was then', async () => {
    const { id } = await client.conversations.create({ items: [user('one')] })
    const { id: made } = await client.responses.create({ model: 'up/m', input: 'two', conversation: id })
    await client.conversations.items.create(id, { items: [user('later')] })
    const texts = async () => {
      const { data } = await client.responses.inputItems.list(made, { order: 'asc' })
      return data.map((item) => 'content' in item && item.content?.map((part) => 'text' in part && part.text).join())
    }
    expect(await texts()).toEqual(['one', 'two'])
    await client.responses.create({ model: 'up/m', input: 'three', previous_response_id: made })
    expect(said()).toEqual(['one', 'two', 'Hello.', 'three'])
    await client.conversations.delete(id)
    expect(await texts()).toEqual(['two'])
  })

  it('loses nothing when several add to it at once', async () => {
    const { id } = await client.conversations.create()
    const words = Array.from({ length: 20 }, (_, at) => `word ${at}`)
    await Promise.all(
      words.map((word, at) => (at % 2 ? client : second).conversations.items.create(id, { items: [user(word)] })),
    )
    expect((await textsOf(id)).toSorted()).toEqual(words.toSorted())
  })

  it('is nobody else’s', async () => {
    const { id } = await client.conversations.create({ items: [user('secret')] })
    const theirs = other.conversations
    const all = [
      () => theirs.retrieve(id),
      () => theirs.delete(id),
      () => theirs.update(id, { metadata: {} }),
      () => theirs.items.list(id),
      () => theirs.items.create(id, { items: [user('mine')] }),
    ]
    for (const refused of all)
      await expect(refused()).rejects.toMatchObject({
        status: 404,
        message: expect.stringContaining(`with id '${id}' not found`),
      })
    await expect(other.responses.create({ model: 'up/m', input: 'hi', conversation: id })).rejects.toMatchObject({
      ...{ status: 404, param: null, code: null },
      message: expect.stringContaining(`Conversation with id '${id}' not found.`),
    })
    expect(await textsOf(id)).toEqual(['secret'])
  })

  it.each([
    ['more than 20 items', { items: Array.from({ length: 21 }, () => user('x')) }, 'items'],
    ['items that are none', { items: ['x'] }, 'items[0]'],
    ['a message without a role', { items: [{ type: 'message', content: 'x' }] }, 'items[0].role'],
    ['a reference', { items: [{ type: 'item_reference', id: 'msg_1' }] }, 'items[0].type'],
    ['an item of an unknown type', { items: [user('x'), { type: 'foo' }] }, 'items[1].type'],
    ['a message of nobody', { items: [{ ...user('x'), role: 'critic' }] }, 'items[0].role'],
    ['a part of an unknown type', { items: [message([{ type: 'bogus' }])] }, 'items[0].content[0].type'],
    ['a part without a type', { items: [message([{ text: 'x' }])] }, 'items[0].content[0].type'],
    ['a part that is none', { items: [message(['x'])] }, 'items[0].content[0]'],
    ['a text without words', { items: [message([{ type: 'input_text' }])] }, 'items[0].content[0].text'],
    ['a message of no content', { items: [message(null)] }, 'items[0].content'],
    ['a call without an id', { items: [{ type: 'function_call', name: 'f', arguments: '{}' }] }, 'items[0].call_id'],
    ['a result of odd parts', { items: [{ ...result, output: [{ type: 'x' }] }] }, 'items[0].output[0].type'],
    ['items that are no list', { items: {} }, 'items'],
    ['metadata that is a list', { metadata: [] }, 'metadata'],
  ])('isn’t made of %s', async (_, wrong, param) => {
    const made = client.conversations.create(wrong as OpenAI.Conversations.ConversationCreateParams)
    await expect(made).rejects.toMatchObject({ status: 400, param })
  })

  it('takes all that a response can be made of', async () => {
    const items = [
      { role: 'system', content: 'Be brief.' },
      message([
        { type: 'input_text', text: 'See' },
        { type: 'input_image', image_url: 'data:image/png;base64,aaaa', detail: 'low' },
      ]),
      { type: 'reasoning', summary: [] },
      { type: 'message', role: 'assistant', content: [{ type: 'refusal', refusal: 'No.' }] },
      { type: 'function_call', call_id: 'call_1', name: 'f', arguments: '{}' },
      { ...result, output: [{ type: 'input_text', text: '1' }] },
      { type: 'web_search_call', status: 'completed' },
    ]
    const { id } = await client.conversations.create()
    await client.conversations.items.create(id, { items } as OpenAI.Conversations.ItemCreateParams)
    const { output_text } = await client.responses.create({ model: 'up/m', input: 'hi', conversation: id })
    expect(output_text).toBe('Hello.')
  })

  it('is as it was after an item was refused', async () => {
    const { id } = await client.conversations.create({ items: [user('one')] })
    const wrong = { items: [user('two'), message([{ type: 'bogus' }])] } as OpenAI.Conversations.ItemCreateParams
    await expect(client.conversations.items.create(id, wrong)).rejects.toMatchObject({
      status: 400,
      code: 'invalid_value',
      param: 'items[1].content[0].type',
      message: expect.stringContaining("'bogus'. Supported values are: 'input_text', "),
    })
    await client.responses.create({ model: 'up/m', input: 'hi', conversation: id })
    expect(said()).toEqual(['one', 'hi'])
  })

  it('and a response can’t both be gone on from', async () => {
    const { id } = await client.conversations.create()
    const both = { model: 'up/m', input: 'hi', conversation: id, previous_response_id: 'resp_1' }
    await expect(client.responses.create(both)).rejects.toMatchObject({
      status: 400,
      code: 'mutually_exclusive_parameters',
    })
  })
})
