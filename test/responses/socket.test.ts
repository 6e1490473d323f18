import { connect } from 'node:net'
import OpenAI from 'openai'
import { ResponsesWS } from 'openai/resources/responses/ws'
import { describe, expect, it } from 'vitest'
import { startGateway } from '../readme/gateways.ts'
import { runtimes, startBoth } from '../support/both.ts'
import { duringTests } from '../support/during-tests.ts'
import { serveUpstreams } from '../support/gateway.ts'
import { create, type Event, last, read } from '../support/response-socket.ts'
import { responseFrames } from '../support/responses.ts'
import { openAt, refusalOf } from '../support/socket-client.ts'
import { chatFrames, chunk, json, type Script, silence, stream } from '../support/upstream.ts'

const chatting: Script = (request, ...rest) =>
  (request.method === 'POST' ? stream(chatFrames('Hel', 'lo')) : json(404, {}))(request, ...rest)
const native: Script = (request, ...rest) =>
  (request.method === 'POST' ? stream(responseFrames(['Hi'])) : json(404, {}))(request, ...rest)

const { up, openai } = serveUpstreams({ up: chatting, openai: native })

const both = duringTests(() =>
  startBoth(
    'responses-socket',
    {
      providers: {
        up: { type: 'openai-compatible', baseURL: up.url },
        openai: { type: 'openai', baseURL: openai.url, apiKey: 'env:KEY' },
        demo: { type: 'embedded' },
      },
      retries: 0,
      cooldown: false,
      idleTimeout: 1,
      bodyLimit: 100_000,
    },
    { KEY: 'sk-up' },
  ),
)

const sentTo = (upstream: typeof up) =>
  upstream.seen.filter(({ method }) => method === 'POST').map(({ body }) => JSON.parse(body) as Record<string, unknown>)

describe.each(runtimes)('Over a WebSocket on %s, a response', (runtime) => {
  const open = (path = '/responses') =>
    openAt(both, runtime, path, { 'openai-beta': 'responses_websockets=2026-02-06' })

  it('comes event by event, as over HTTP', async () => {
    const client = await open()
    const events = await create(client, { model: 'up/m', input: 'hi', store: false })
    expect(events.map(({ type }) => type)).toEqual([
      ...['response.created', 'response.in_progress', 'response.output_item.added', 'response.content_part.added'],
      ...['response.output_text.delta', 'response.output_text.delta', 'response.output_text.done'],
      ...['response.content_part.done', 'response.output_item.done', 'response.completed'],
    ])
    expect(events.map(({ sequence_number: number }) => number)).toEqual(events.map((_, at) => at))
    expect(sentTo(up)[0]).toMatchObject({ model: 'm', stream: true, messages: [{ role: 'user', content: 'hi' }] })
    client.ws.close()
  })

  it('may be that of a server with responses', async () => {
    const client = await open()
    const events = await create(client, { model: 'openai/m', input: 'hi', future: 1 })
    expect(last(events)).toMatchObject({ type: 'response.completed', response: { id: 'resp_up' } })
    expect(sentTo(openai)).toEqual([{ model: 'm', input: 'hi', future: 1, stream: true }])
    client.ws.close()
  })

  it('follows the one before it, however soon it is asked for', async () => {
    const client = await open('/responses/')
    for (const input of ['first', 'second'])
      client.ws.send(JSON.stringify({ type: 'response.create', stream_id: input, model: 'up/m', input }))
    const lanes = [...(await read(client)), ...(await read(client))].map(({ stream_id: lane }) => lane)
    expect(lanes.filter((lane, at) => lane !== lanes[at - 1])).toEqual(['first', 'second'])
    client.ws.close()
  })

  it.each([
    ['up', 'up/m'],
    ['openai', 'openai/m'],
  ] as const)('goes on from the one before it, also without a store: %s', async (name, model) => {
    const upstream = { up, openai }[name]
    const client = await open()
    const first = last(await create(client, { model, input: 'I am Ada.', store: false })).response
    const then = { model, input: [{ role: 'user', content: 'Who am I?' }], store: false }
    await create(client, { ...then, previous_response_id: first.id })
    expect(sentTo(upstream)[1]).not.toHaveProperty('previous_response_id')
    const said = JSON.stringify(sentTo(upstream)[1])
    expect(said).toMatch(name === 'up' ? /Ada.*Hello.*Who am I/ : /Ada.*Hi.*Who am I/)
    expect(said).not.toMatch(/"id":"msg_/)
    client.ws.close()
  })

  it('may end with a call, whose result the next request has', async () => {
    const called = { index: 0, id: 'c1', type: 'function', function: { name: 'look', arguments: '{}' } }
    up.script(stream([chunk({ tool_calls: [called] }), chunk({}, 'tool_calls'), 'data: [DONE]\n\n']))
    const client = await open()
    const tools = [{ type: 'function', name: 'look', parameters: { type: 'object' } }]
    const { id } = last(await create(client, { model: 'up/m', input: 'Look!', tools })).response
    up.script(chatting)
    const result = { type: 'function_call_output', call_id: 'c1', output: 'rain' }
    await create(client, { model: 'up/m', previous_response_id: id, input: [result], tools })
    expect(sentTo(up)[1]).toMatchObject({
      messages: [
        { role: 'user' },
        { role: 'assistant', tool_calls: [{ id: 'c1' }] },
        { role: 'tool', content: 'rain' },
      ],
    })
    client.ws.close()
  })

  it('does not go on from what another connection made, or one that failed', async () => {
    const client = await open()
    const { id } = last(await create(client, { model: 'up/m', input: 'hi', store: false })).response
    const other = await open()
    const again = { model: 'up/m', store: false, previous_response_id: id, input: 'And now?' }
    const missing = {
      type: 'error',
      status: 400,
      code: 'previous_response_not_found',
      error: {
        type: 'invalid_request_error',
        code: 'previous_response_not_found',
        param: 'previous_response_id',
        message: `Previous response with id '${id}' not found.`,
      },
    }
    expect(await create(other, again)).toEqual([expect.objectContaining(missing)])
    expect(await create(other, { ...again, store: true })).toEqual([expect.objectContaining(missing)])
    expect(last(await create(other, { model: 'up/m', input: 'hi' })).type).toBe('response.completed')
    const stray = [{ type: 'function_call_output', call_id: 'c9', output: 'x' }]
    const [failed] = await create(client, { ...again, input: stray })
    expect(failed).toMatchObject({ type: 'error', status: 400, error: { message: expect.stringContaining('c9') } })
    expect(await create(client, again)).toEqual([expect.objectContaining(missing)])
    client.ws.close()
    other.ws.close()
  })

  it('goes on from what one before it was compacted to', async () => {
    const client = await open()
    const first = last(await create(client, { model: 'up/m', input: 'I am Ada.' })).response
    up.script(stream(chatFrames('They are called Ada.')))
    const compacting = { model: 'up/m', previous_response_id: first.id, input: [{ type: 'compaction_trigger' }] }
    const compacted = last(await create(client, compacting)).response
    expect(compacted.output).toMatchObject([{ type: 'compaction' }])
    up.script(chatting)
    await create(client, { model: 'up/m', previous_response_id: compacted.id, input: 'Who am I?' })
    const { messages } = sentTo(up)[2] as { messages: { content: string }[] }
    expect(messages.map(({ content }) => content)).toEqual([
      'I am Ada.',
      expect.stringContaining('They are called Ada.'),
      'Who am I?',
    ])
    client.ws.close()
  })

  it('may be prepared before it is wanted', async () => {
    const client = await open()
    const input = [{ role: 'developer', content: 'Be brief.' }]
    const events = await create(client, { model: 'up/m', input, generate: false })
    expect(events.map(({ type }) => type)).toEqual(['response.created', 'response.completed'])
    expect(sentTo(up)).toEqual([])
    await create(client, { model: 'up/m', previous_response_id: last(events).response.id, input: 'hi' })
    expect(sentTo(up)[0]).toMatchObject({ messages: [{ content: 'Be brief.' }, { content: 'hi' }] })
    client.ws.close()
  })

  it.each([
    ['no JSON', 'hi', 400],
    ['no object', '[]', 400],
    ['another kind of event', '{"type":"session.update"}', 400],
    ['no input', '{"type":"response.create","model":"up/m"}', 400],
    ['a model that is not there', '{"type":"response.create","model":"nobody/m","input":"hi"}', 404],
    [
      'more than the limit',
      JSON.stringify({ type: 'response.create', model: 'up/m', input: 'x'.repeat(100_001) }),
      413,
    ],
  ])('is refused for %s, and the next one comes', async (_what, message, status) => {
    const client = await open()
    client.ws.send(message)
    expect(await read(client)).toEqual([expect.objectContaining({ type: 'error', status })])
    expect(last(await create(client, { model: 'up/m', input: 'hi' })).type).toBe('response.completed')
    client.ws.close()
  })

  it.each([
    ['before content', json(500, { error: { message: 'Out of luck' } }), 'error'],
    ['after content', stream(chatFrames('Hel', 'lo').slice(0, 2), 'reset'), 'response.failed'],
    ['by falling silent', stream(chatFrames('Hel', 'lo').slice(0, 2), 'silence'), 'response.failed'],
  ])('that fails %s says so once, and the next one comes', async (_when, script, type) => {
    up.script(script)
    const client = await open()
    expect(last(await create(client, { model: 'up/m', input: 'hi' })).type).toBe(type)
    up.script(chatting)
    expect(last(await create(client, { model: 'up/m', input: 'hi' })).type).toBe('response.completed')
    client.ws.close()
  })

  it('is stopped when its client leaves', async () => {
    up.script(stream(chatFrames('Hel', 'lo').slice(0, 2), 'silence'))
    const client = await open()
    client.ws.send(JSON.stringify({ type: 'response.create', model: 'up/m', input: 'hi' }))
    while ((JSON.parse((await client.next()).text ?? '') as Event).type !== 'response.output_text.delta');
    client.ws.close()
    await up.seen.find(({ method }) => method === 'POST')?.abandoned
  })

  it.each([
    ['up', chatFrames('Hel', 'lo').slice(0, 2), chatting],
    ['openai', responseFrames(['Hel', 'lo']).slice(0, 5), native],
  ] as const)('ends at once when its client cancels it, and the next one comes: %s', async (name, begun, script) => {
    const upstream = { up, openai }[name]
    upstream.script(stream(begun, 'silence'))
    const client = await open()
    client.ws.send(JSON.stringify({ type: 'response.create', model: `${name}/m`, input: 'hi' }))
    const events: Event[] = []
    do events.push(JSON.parse((await client.next()).text ?? '') as Event)
    while (last(events).type !== 'response.output_text.delta')
    const id = events[0]?.response.id
    client.ws.send(JSON.stringify({ type: 'response.cancel', response_id: id }))
    const [ended, ...more] = await read(client)
    const response = expect.objectContaining({ id, status: 'cancelled', output: [] })
    expect(ended).toEqual({ type: 'response.incomplete', sequence_number: events.length, response })
    expect(more).toEqual([])
    await upstream.seen.find(({ method }) => method === 'POST')?.abandoned
    upstream.script(script)
    expect(last(await create(client, { model: `${name}/m`, input: 'hi' })).type).toBe('response.completed')
    client.ws.close()
  })

  it('that is cancelled before it has begun is refused', async () => {
    up.script(silence)
    const client = await open()
    client.ws.send(JSON.stringify({ type: 'response.create', stream_id: 'one', model: 'up/m', input: 'hi' }))
    client.ws.send(JSON.stringify({ type: 'response.cancel' }))
    const refusal = { type: 'error', stream_id: 'one', code: 'client_closed_request' }
    expect(await read(client)).toEqual([expect.objectContaining(refusal)])
    client.ws.close()
  })

  it('is not disturbed by the end of another one that its client cancels', async () => {
    const client = await open()
    const { id } = last(await create(client, { model: 'up/m', input: 'hi' })).response
    client.ws.send(JSON.stringify({ type: 'response.cancel' }))
    client.ws.send(JSON.stringify({ type: 'response.create', model: 'up/m', previous_response_id: id, input: 'So?' }))
    client.ws.send(JSON.stringify({ type: 'response.cancel', response_id: id }))
    expect(last(await read(client)).type).toBe('response.completed')
    client.ws.close()
  })

  it('is not disturbed by what its client only tells', async () => {
    const client = await open()
    const { id } = last(await create(client, { model: 'up/m', input: 'hi' })).response
    client.ws.send(JSON.stringify({ type: 'response.processed', response_id: id }))
    const events = await create(client, { model: 'up/m', previous_response_id: id, input: 'And now?' })
    expect(events.map(({ type }) => type)).toEqual(expect.arrayContaining(['response.created', 'response.completed']))
    expect(events.map(({ type }) => type)).not.toContain('error')
    client.ws.close()
  })

  it('comes from the embedded model', async () => {
    const client = await open()
    const events = await create(client, { model: 'demo/tiny-chat', input: 'hi', max_output_tokens: 16 })
    expect(last(events).type).toMatch(/^response\.(completed|incomplete)$/)
    client.ws.close()
  })

  it('is for those with a key', async () => {
    const refusal = await refusalOf(openAt({ ...both, key: 'sk-wrong' }, runtime, '/responses'))
    expect(refusal.status).toBe(401)
  })
})

describe.each(runtimes)('OpenAI’s own client on %s', (runtime) => {
  /** The client's address is to be `wss`, and the gateway's isn't. */
  const client = () => new OpenAI({ apiKey: both.key, baseURL: both.addresses[runtime].replace('http:', 'https:') })
  const port = () => Number(new URL(both.addresses[runtime]).port)
  const open = () => new ResponsesWS(client(), { createConnection: () => connect(port(), '127.0.0.1') })

  it('gets its responses by WebSocket', async () => {
    const socket = open()
    const text = await new Promise<string>((resolve, reject) => {
      let said = ''
      socket.on('error', reject)
      socket.on('response.output_text.delta', ({ delta }) => {
        said += delta
      })
      socket.on('response.completed', () => resolve(said))
      socket.send({ type: 'response.create', model: 'up/m', input: 'hi' })
    })
    expect(text).toBe('Hello')
    socket.close()
  })

  it('reads what is wrong with a request', async () => {
    const socket = open()
    const error = await new Promise<Error>((resolve) => {
      socket.on('error', resolve)
      socket.send({ type: 'response.create', model: 'nobody/m', input: 'hi' })
    })
    expect(error.message).toContain('nobody/m')
    socket.close()
  })
})

it('Where no WebSocket can be opened a client learns that it is to use HTTP', async () => {
  const gateway = await startGateway({ providers: { demo: { type: 'embedded' } } }, { env: {} })
  const headers = { upgrade: 'websocket', connection: 'upgrade', 'openai-beta': 'responses_websockets=2026-02-06' }
  const refusal = await gateway.fetch(new Request('http://localhost/v1/responses', { headers }))
  expect(refusal.status).toBe(426)
  expect(await refusal.json()).toMatchObject({ error: { code: 'upgrade_required' } })
  await gateway.stop()
})
