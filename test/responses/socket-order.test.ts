import { describe, expect, it } from 'vitest'
import { until } from '../support/ask.ts'
import { runtimes, startBoth } from '../support/both.ts'
import { duringTests } from '../support/during-tests.ts'
import { gatewayStarter, serveUpstreams } from '../support/gateway.ts'
import { create, type Event, last, read } from '../support/response-socket.ts'
import { responseFrames } from '../support/responses.ts'
import { connectSocket, openAt, type SocketClient } from '../support/socket-client.ts'
import { chatFrames, json, type Script, silence, stream } from '../support/upstream.ts'

const answering =
  (script: Script): Script =>
  (request, ...rest) =>
    (request.method === 'POST' ? script : json(404, {}))(request, ...rest)
const chatting = answering(stream(chatFrames('Hel', 'lo')))
const native = answering(stream(responseFrames(['Hi'])))

const { up, openai } = serveUpstreams({ up: chatting, openai: native })
const upstreams = { up, openai }
const providers = () => ({
  up: { type: 'openai-compatible', baseURL: up.url },
  openai: { type: 'openai', baseURL: openai.url, apiKey: 'env:KEY' },
})
const both = duringTests(() =>
  startBoth('socket-order', { providers: providers(), retries: 0, cooldown: false }, { KEY: 'sk-up' }),
)

const posted = (upstream: typeof up) => upstream.seen.filter(({ method }) => method === 'POST')
const ask = ({ ws }: SocketClient, request: object) => ws.send(JSON.stringify({ type: 'response.create', ...request }))
const kinds = [
  ['up', 'up/m'],
  ['openai', 'openai/m'],
] as const

describe.each(runtimes)('Over a WebSocket on %s, a response', (runtime) => {
  const open = () => openAt(both, runtime, '/responses')

  it.each(['a$&b', "x$'y", '$`', '"quoted" \\ 😀'])('comes in its lane, whatever that is called: %s', async (lane) => {
    const client = await open()
    const events = await create(client, { model: 'up/m', input: 'hi', stream_id: lane })
    expect(events.map(({ stream_id: one }) => one)).toEqual(events.map(() => lane))
    expect(last(events).type).toBe('response.completed')
    client.ws.close()
  })

  it.each(kinds)('says which one it goes on from: %s', async (_name, model) => {
    const client = await open()
    const first = await create(client, { model, input: 'hi' })
    expect(last(first).response.previous_response_id ?? null).toBeNull()
    const then = await create(client, { model, input: 'So?', previous_response_id: last(first).response.id })
    const told = then.filter(({ response }) => response).map(({ response }) => response.previous_response_id)
    expect(told).toEqual([1, 2, 3].map(() => last(first).response.id))
    client.ws.close()
  })

  it('goes on where an older client names the one before beside the rest, and not after a failure', async () => {
    const client = await open()
    const { id } = last(await create(client, { response: { model: 'up/m', input: 'I am Ada.' } })).response
    await create(client, { previous_response_id: id, response: { model: 'up/m', input: 'Who am I?' } })
    expect(posted(up)[1]?.body).toMatch(/Ada.*Hello.*Who am I/)
    up.script(json(500, { error: { message: 'Out of luck' } }))
    const again = { response: { model: 'up/m', input: 'And now?', previous_response_id: id, store: false } }
    expect(last(await create(client, again)).status).toBe(502)
    expect(last(await create(client, again)).error?.code).toBe('previous_response_not_found')
    client.ws.close()
  })

  it('says in its first event what HTTP says in headers', async () => {
    const client = await open()
    const tools = [{ type: 'web_search' }]
    const [first, ...more] = await create(client, { model: 'up/m', input: 'hi', tools })
    expect(first).toMatchObject({ type: 'response.created' })
    expect(first?.headers).toMatchObject({
      'x-request-id': expect.any(String),
      'x-samewire-model': 'up/m',
      'x-samewire-dropped': expect.stringContaining('web_search'),
    })
    expect(more.filter(({ headers }) => headers)).toEqual([])
    const [refused] = await create(client, { model: 'nobody/m', input: 'hi' })
    expect(refused?.headers?.['x-request-id']).not.toBe(first?.headers?.['x-request-id'])
    client.ws.close()
  })

  it('is refused in its lane and in its turn if too many wait', async () => {
    const begun = Promise.withResolvers<void>()
    up.script(async (...exchange) => {
      if (exchange[0].method === 'POST') await begun.promise
      chatting(...exchange)
    })
    const client = await open()
    const lanes = Array.from({ length: 20 }, (_, at) => `lane ${at}`)
    for (const lane of lanes) ask(client, { model: 'up/m', input: 'hi', stream_id: lane })
    await until(() => posted(up).length === 1)
    client.ws.ping()
    await new Promise((answered) => client.ws.once('pong', answered))
    begun.resolve()
    const ends: Event[] = []
    for (const _ of lanes) ends.push(last(await read(client)))
    expect(ends.map(({ stream_id: lane }) => lane)).toEqual(lanes)
    const refused = expect.objectContaining({ type: 'error', status: 429, code: 'rate_limit_exceeded' })
    expect(ends.slice(17)).toEqual([refused, refused, refused])
    expect(ends.slice(0, 17).map(({ type }) => type)).toEqual(lanes.slice(3).map(() => 'response.completed'))
    client.ws.close()
  })

  it('is no longer to be had by a client that sends far too many', async () => {
    up.script(answering(silence))
    const client = await open()
    for (let count = 0; count < 100; count++) ask(client, { model: 'up/m', input: 'hi' })
    expect((await client.closed).code).toBe(1008)
  })
})

describe('When the gateway stops, over a WebSocket', () => {
  const gateways = gatewayStarter()

  async function open() {
    const gateway = await gateways({ providers: providers(), retries: 0 }, { env: { KEY: 'sk-up' } })
    return { gateway, client: await connectSocket(`${gateway.baseURL}/responses`) }
  }

  it.each([
    ['up', 'up/m', chatFrames('Hel', 'lo').slice(0, 2)],
    ['openai', 'openai/m', responseFrames(['Hel', 'lo']).slice(0, 5)],
  ] as const)(
    'a response fails with what there is of it, and those that wait are refused: %s',
    async (name, model, begun) => {
      upstreams[name].script(answering(stream(begun, 'silence')))
      const { gateway, client } = await open()
      ask(client, { model, input: 'hi', stream_id: 'one' })
      ask(client, { model, input: 'hi', stream_id: 'two' })
      const events: Event[] = []
      do events.push(JSON.parse((await client.next()).text ?? '') as Event)
      while (last(events).type !== 'response.output_text.delta')
      gateway.breakOff()
      const [failed, ...more] = await read(client)
      expect(more).toEqual([])
      expect(failed).toMatchObject({
        ...{ type: 'response.failed', sequence_number: events.length, stream_id: 'one' },
        response: { status: 'failed', output: [{ content: [{ text: 'Hel' }] }], error: { code: 'server_error' } },
      })
      const refused = { type: 'error', status: 503, code: 'shutting_down', stream_id: 'two' }
      expect(await read(client)).toEqual([expect.objectContaining(refused)])
      expect((await client.closed).code).toBe(1001)
    },
  )

  it('a response that has not begun is refused', async () => {
    up.script(answering(silence))
    const { gateway, client } = await open()
    ask(client, { model: 'up/m', input: 'hi' })
    await until(() => posted(up).length === 1)
    gateway.breakOff()
    expect(await read(client)).toEqual([expect.objectContaining({ type: 'error', status: 503, code: 'shutting_down' })])
    expect((await client.closed).code).toBe(1001)
  })

  it('a connection without one is closed', async () => {
    const { gateway, client } = await open()
    gateway.breakOff()
    expect((await client.closed).code).toBe(1001)
  })
})
