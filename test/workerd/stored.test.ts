import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test'
import { env as bound } from 'cloudflare:workers'
import OpenAI from 'openai'
import { describe, expect, it } from 'vitest'
import worker from '../../src/worker.ts'
import { exchangePath } from '../support/exchange.ts'

const keys = { ADA: 'sk-ada-0123456789', EVE: 'sk-eve-0123456789' }
/** A provider that goes on with its stream for as long as somebody is there. */
const tag = 'stored-slow'
const chunk = { id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm' }
const said = `data: ${JSON.stringify({ ...chunk, choices: [{ index: 0, delta: { role: 'assistant', content: 'Well' } }] })}\n\n`
const path = exchangePath({
  answer: { status: 200, headers: { 'content-type': 'text/event-stream' }, body: said },
  delivery: { tag, after: { bytes: said.length, what: 'drip' } },
})
const slow = { type: 'openai-compatible', baseURL: `${bound.UPSTREAM}${path}/v1` }
const config = { state: { url: 'd1' }, keys: ['env:ADA', 'env:EVE'], providers: { demo: { type: 'embedded' }, slow } }
const env = { ...bound, ...keys, SAMEWIRE_CONFIG: JSON.stringify(config) } as unknown as Record<string, string>
const model = 'demo/tiny-chat'

function clientOf(apiKey: string, bindings = env): OpenAI {
  const send: typeof fetch = async (...asked) => {
    const execution = createExecutionContext()
    const request = new Request(...asked)
    const body = asked[1]?.body
    if (typeof body === 'string') request.headers.set('content-length', String(new TextEncoder().encode(body).length))
    const response = await worker.fetch(request, bindings, execution)
    // What the Worker still does then is its own.
    if (response.headers.get('content-type')?.startsWith('application/json')) await waitOnExecutionContext(execution)
    return response
  }
  return new OpenAI({ baseURL: 'https://samewire.test/v1', apiKey, maxRetries: 0, fetch: send })
}

const [ada, eve] = [clientOf(keys.ADA), clientOf(keys.EVE)]

describe('On Workers, a response', () => {
  it('is stored, read back, listed with what it answers, gone on from and deleted, by its key alone', async () => {
    const first = await ada.responses.create({ model, input: 'I am Ada.', max_output_tokens: 16 })
    expect(first).toMatchObject({ store: true, object: 'response' })
    expect(await ada.responses.retrieve(first.id)).toMatchObject({ id: first.id, output: first.output })
    const second = await ada.responses.create({
      ...{ model, input: 'Who am I?', max_output_tokens: 16 },
      previous_response_id: first.id,
    })
    const items = await ada.responses.inputItems.list(second.id, { order: 'asc' })
    expect(items.data.map((item) => 'role' in item && item.role)).toEqual(['user', 'assistant', 'user'])
    await expect(eve.responses.retrieve(first.id)).rejects.toMatchObject({ status: 404 })
    await ada.responses.delete(first.id)
    await expect(ada.responses.retrieve(first.id)).rejects.toMatchObject({ status: 404 })
    expect((await ada.responses.inputItems.list(second.id)).data).toHaveLength(3)
  })

  it('is there when the last event of its stream is, and told again as a stream', async () => {
    const events = await ada.responses.create({ model, input: 'hi', stream: true, max_output_tokens: 16 })
    let id = ''
    for await (const event of events) {
      if (event.type !== 'response.completed' && event.type !== 'response.incomplete') continue
      id = event.response.id
      expect(await ada.responses.retrieve(id)).toMatchObject({ id, status: event.response.status })
    }
    const numbers: number[] = []
    for await (const event of await ada.responses.retrieve(id, { stream: true, starting_after: 2 }))
      numbers.push(event.sequence_number)
    expect(numbers[0]).toBe(3)
  })

  it('is made in the background, while its client asks how far it is', async () => {
    const begun = await ada.responses.create({ model, input: 'hi', background: true, max_output_tokens: 16 })
    expect(begun).toMatchObject({ status: 'queued', background: true, store: true, output: [] })
    const numbers: number[] = []
    let last = ''
    for await (const event of await ada.responses.retrieve(begun.id, { stream: true, starting_after: 0 })) {
      numbers.push(event.sequence_number)
      last = event.type
    }
    expect(numbers).toEqual(numbers.map((_, at) => at + 1))
    expect(last).toMatch(/^response\.(completed|incomplete)$/)
    const ended = await ada.responses.retrieve(begun.id)
    expect(ended).toMatchObject({ background: true, status: last.split('.')[1] })
    expect(ended.output_text).not.toBe('')
    await expect(eve.responses.retrieve(begun.id)).rejects.toMatchObject({ status: 404 })
  })

  it('is told as a stream by the request that has it made in the background', async () => {
    const asked = { model, input: 'hi', background: true, stream: true, max_output_tokens: 16 } as const
    const types: string[] = []
    for await (const event of await ada.responses.create(asked)) types.push(event.type)
    expect(types.slice(0, 2)).toEqual(['response.created', 'response.queued'])
    expect(types.at(-1)).toMatch(/^response\.(completed|incomplete)$/)
  })

  it('is made in the background until somebody cancels it', async () => {
    const long = { model: 'slow/m', input: 'hi', background: true } as const
    const { id } = await ada.responses.create(long)
    await expect.poll(async () => (await ada.responses.retrieve(id)).status).toBe('in_progress')
    expect(await ada.responses.cancel(id)).toMatchObject({ id, status: 'cancelled' })
    await (await fetch(`${bound.UPSTREAM}/seen/${tag}/abandoned`)).text()
    expect(await ada.responses.retrieve(id)).toMatchObject({ id, status: 'cancelled' })
  })

  it.each([
    ['nothing is bound for it', { FLIGHTS: undefined }, 'hi'],
    ['its request is too long', {}, 'x'.repeat(4 * 1024 * 1024)],
  ])('is not made in the background where %s, which is said', async (_, more, input) => {
    const client = clientOf(keys.ADA, { ...env, ...more } as typeof env)
    await expect(client.responses.create({ model, input, background: true })).rejects.toMatchObject({
      ...{ status: 400, param: 'background', code: 'unsupported_parameter' },
      message: expect.stringContaining('on Workers'),
    })
  })

  it('has items of its conversation no larger than D1 takes them', async () => {
    const { id } = await ada.conversations.create()
    const item = { type: 'message' as const, role: 'user' as const, content: 'ä'.repeat(1_000_000) }
    await expect(ada.conversations.items.create(id, { items: [item] })).rejects.toMatchObject({
      ...{ status: 413, code: 'request_too_large' },
    })
  })

  it('is one of a conversation', async () => {
    const { id } = await ada.conversations.create({ items: [{ type: 'message', role: 'user', content: 'I am Ada.' }] })
    await Promise.all(
      ['a', 'b'].map((content) =>
        ada.conversations.items.create(id, { items: [{ type: 'message', role: 'user', content }] }),
      ),
    )
    await ada.responses.create({ model, input: 'Who am I?', conversation: id, max_output_tokens: 16 })
    const roles: unknown[] = []
    for await (const item of ada.conversations.items.list(id, { order: 'asc', limit: 2 }))
      roles.push('role' in item && item.role)
    expect(roles).toEqual(['user', 'user', 'user', 'user', 'assistant'])
    await ada.conversations.update(id, { metadata: { a: 'b' } })
    expect(await ada.conversations.retrieve(id)).toMatchObject({ metadata: { a: 'b' } })
    await ada.conversations.delete(id)
    await expect(ada.conversations.retrieve(id)).rejects.toMatchObject({ status: 404 })
  })
})

describe('On Workers, a chat', () => {
  const messages = [{ role: 'user' as const, content: 'hi' }]

  it('is stored if its client says so, found, changed and deleted', async () => {
    const asked = { model, messages, store: true, max_tokens: 8 }
    const { id } = await ada.chat.completions.create({ ...asked, metadata: { team: 'a' } })
    const stream = await ada.chat.completions.create({ ...asked, stream: true })
    let streamed = ''
    for await (const chunk of stream) streamed = chunk.id
    expect((await ada.chat.completions.list()).data.map((chat) => chat.id).sort()).toEqual([id, streamed].sort())
    expect((await ada.chat.completions.list({ metadata: { team: 'a' } })).data).toMatchObject([{ id }])
    expect(await ada.chat.completions.update(id, { metadata: { b: 'c' } })).toMatchObject({ metadata: { b: 'c' } })
    expect((await ada.chat.completions.messages.list(id)).data).toMatchObject([{ content: 'hi' }])
    await ada.chat.completions.delete(id)
    await expect(ada.chat.completions.retrieve(id)).rejects.toMatchObject({ status: 404 })
  })
})
