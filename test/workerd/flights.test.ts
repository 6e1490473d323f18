import { createExecutionContext } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { beforeAll, describe, expect, it } from 'vitest'
import worker from '../../src/worker.ts'
import { exchangePath } from '../support/exchange.ts'

const { DB, METERS, FLIGHTS, UPSTREAM } = env

const tags = ['shared', 'leader', 'last', 'early', 'other', 'named', 'dropped'] as const
type Tag = (typeof tags)[number]

/** By what their provider knows these requests: other tests ask it at the same time. */
const seen = (tag: Tag) => `flights-${tag}`

const chunk = (about: object) =>
  `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', ...about })}\n\n`
const says = (delta: object, finish: string | null = null) =>
  chunk({ choices: [{ index: 0, delta, finish_reason: finish }] })
const first = says({ role: 'assistant', content: 'first' })
const rest = [
  says({ content: 'second' }),
  says({}, 'stop'),
  chunk({ choices: [], usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 } }),
  'data: [DONE]\n\n',
]
const body = first + rest.join('')
/** The gateway wants to know the usage; clients who haven't asked for it don't see it. */
const whole = first + rest.filter((one) => !one.includes('usage')).join('')
const headers = { 'content-type': 'text/event-stream' }

/** A provider that sends some of its stream, and the rest once it is told to. */
function provider(tag: Tag) {
  // Who leaves is noticed when something is written.
  const what = tag === 'last' ? 'drip' : 'wait'
  const after = { bytes: tag === 'early' ? 0 : first.length, what } as const
  const delivery = { tag: seen(tag), after } as const
  const path = exchangePath({ answer: { status: 200, headers, body }, delivery })
  return { type: 'openai-compatible', baseURL: `${UPSTREAM}${path}/v1` }
}

const config = {
  providers: Object.fromEntries(tags.map((tag) => [tag, provider(tag)])),
  cache: { ttl: 60, singleFlight: true },
  retries: 0,
}
const bound = {
  ...{ DB, METERS, FLIGHTS, SAMEWIRE_STATE: 'd1', SAMEWIRE_ADMIN_KEY: 'sk-of-the-operator', SAMEWIRE_KEY: 'sk-1' },
  SAMEWIRE_CONFIG: JSON.stringify(config),
} as unknown as Parameters<typeof worker.fetch>[1]

async function send(path: string, init: RequestInit): Promise<Response> {
  return await worker.fetch(new Request(`https://samewire.test${path}`, init), bound, createExecutionContext())
}

interface Asking {
  readonly key?: string
  readonly signal?: AbortSignal
  readonly more?: object
}

/** Resolves with the headers of the answer. */
async function ask(tag: Tag, { key, signal, more }: Asking = {}): Promise<Response> {
  const asked = { model: `${tag}/m`, messages: [{ role: 'user', content: 'hi' }], stream: true, ...more }
  const text = JSON.stringify(asked)
  return await send('/v1/chat/completions', {
    method: 'POST',
    headers: {
      ...{ 'content-type': 'application/json', 'content-length': String(text.length), authorization: 'Bearer sk-1' },
      ...(key !== undefined && { 'idempotency-key': key }),
    },
    body: text,
    ...(signal && { signal }),
  })
}

const result = (response: Response) => response.headers.get('x-samewire-cache')
const goOn = async (tag: Tag) => void (await (await fetch(`${UPSTREAM}/seen/${seen(tag)}/go`)).text())
const calls = async (tag: Tag) => ((await (await fetch(`${UPSTREAM}/seen/${seen(tag)}`)).json()) as unknown[]).length

beforeAll(async () => {
  // The first one builds the gateway, for the objects too: they don't have this test's configuration.
  await (await send('/v1/models', {})).text()
})

describe('Requests to a Worker that want the same at once', () => {
  it('get the answer of one call, each all of it, and later ones get what was kept', async () => {
    const one = await ask('shared')
    const others = await Promise.all([ask('shared'), ask('shared')])
    expect([one, ...others].map(result)).toEqual(['miss', 'shared', 'shared'])
    await goOn('shared')
    const texts = await Promise.all([one, ...others].map((response) => response.text()))
    expect(new Set(texts)).toEqual(new Set([whole]))
    const later = await ask('shared')
    expect([result(later), await later.text(), await calls('shared')]).toEqual(['hit', whole, 1])
  })

  it('get it to its end although the one who asked first has left', async () => {
    const leaving = new AbortController()
    const one = await ask('leader', { signal: leaving.signal })
    const other = await ask('leader')
    expect([one, other].map(result)).toEqual(['miss', 'shared'])
    leaving.abort()
    await goOn('leader')
    expect([await other.text(), await calls('leader')]).toEqual([whole, 1])
  })

  it('have the provider cut off once the last one has left', async () => {
    const both = [await ask('last'), await ask('last')]
    for (const one of both) await one.body?.cancel()
    await (await fetch(`${UPSTREAM}/seen/${seen('last')}/abandoned`)).text()
    expect(both.map(result)).toEqual(['miss', 'shared'])
  })

  it('have it cut off if the only one leaves before the first word', async () => {
    const leaving = new AbortController()
    const pending = ask('early', { signal: leaving.signal })
    while ((await calls('early')) === 0) await new Promise((turn) => setTimeout(turn))
    leaving.abort()
    await pending
    await (await fetch(`${UPSTREAM}/seen/${seen('early')}/abandoned`)).text()
    expect(await calls('early')).toBe(1)
  })

  it('get nothing of another request', async () => {
    const both = [await ask('other'), await ask('other', { more: { seed: 1 } })]
    expect(both.map(result)).toEqual(['miss', 'miss'])
    await goOn('other')
    for (const one of both) expect(await one.text()).toBe(whole)
    expect(await calls('other')).toBe(2)
  })
})

describe('A request that is sent to a Worker again under its key while it is under way', () => {
  it('joins the first one', async () => {
    const one = await ask('named', { key: 'k1' })
    const again = await ask('named', { key: 'k1' })
    expect([one, again].map(({ headers }) => headers.get('idempotent-replayed'))).toEqual([null, 'true'])
    await goOn('named')
    expect([await one.text(), await again.text(), await calls('named')]).toEqual([whole, whole, 1])
  })

  it('is refused if it is another one', async () => {
    const other = await ask('named', { key: 'k1', more: { seed: 1 } })
    expect([other.status, await other.json()]).toMatchObject([400, { error: { code: 'idempotency_key_reused' } }])
  })
})

describe('Answers that a Worker keeps', () => {
  it('are out of reach once their key has dropped them, those under way too', async () => {
    const one = await ask('dropped')
    const dropping = await send('/admin/cache?key=env:SAMEWIRE_KEY', {
      method: 'DELETE',
      headers: { authorization: 'Bearer sk-of-the-operator' },
    })
    expect(dropping.status).toBe(200)
    await goOn('dropped')
    expect([await one.text(), await calls('dropped')]).toEqual([whole, 1])
    const later = await ask('dropped')
    expect([result(later), await later.text(), await calls('dropped')]).toEqual(['miss', whole, 2])
    const again = await ask('dropped')
    expect([result(again), await again.text()]).toEqual(['hit', whole])
  })
})
