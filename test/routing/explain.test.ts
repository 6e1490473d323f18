import { describe, expect, it } from 'vitest'
import type { RequestReport } from '../../src/core/report.ts'
import type { Explanation } from '../../src/explain.ts'
import { ask, chat, errorOf, noLists, open, type Reply, until } from '../support/ask.ts'
import { type Runtime, runtimes, startBoth } from '../support/both.ts'
import { duringTests } from '../support/during-tests.ts'
import { gatewayStarter, ManualClock, serveUpstreams } from '../support/gateway.ts'
import { chatAnswer, chatFrames, json, silence, stream } from '../support/upstream.ts'

const type = 'openai-compatible'
const oops = json(500, { error: { message: 'oops' } })

const { first, second } = serveUpstreams({ first: oops, second: json(200, chatAnswer('second')) })
const serve = gatewayStarter()

const env = { KEY: 'k-of-the-provider' }

const configOf = () => ({
  providers: {
    a: { type, baseURL: first.url },
    b: { type, baseURL: second.url },
    serve: { type: 'huggingface', apiKey: 'env:KEY', endpointUrl: first.url, engine: 'transformers' },
  },
  models: {
    m: {
      deployments: [
        { model: 'a/m', price: { input: 1, output: 2 }, params: { top_p: 0.9 }, overrides: { temperature: 0 } },
        { model: 'b/blind', order: 2, supports: { vision: false } },
      ],
      fallbacks: ['b/spare'],
      contextWindowFallbacks: ['b/long'],
      timeout: 60,
      streamTimeout: 20,
    },
    weak: 'a/weak',
    mixed: {
      deployments: ['serve/strict', { model: 'serve/lenient', dropParams: ['logit_bias'], order: 2 }],
      fallbacks: ['b/spare'],
    },
    straße: { deployments: ['a/straße'], fallbacks: ['b/spare'] },
  },
  retries: 0,
  cooldown: { allowedFails: 1, cooldownTime: 600, maxCooldownTime: 600 },
})

const both = duringTests(() => startBoth('explain', configOf(), env))

async function start(more: object = {}, over?: (report: RequestReport) => void, clock = new ManualClock()) {
  const services = { ...noLists, ...(over && { observer: { over } }) }
  const gateway = await serve({ ...configOf(), ...more }, { clock, random: () => 0, services, env })
  return { gateway, clock }
}

const image = [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'https://x.example/y.png' } }] }]

async function explain(runtime: Runtime, body: unknown, query = ''): Promise<Explanation> {
  const reply = await both.ask(runtime, body, `/explain${query}`)
  expect(reply.status).toBe(200)
  return JSON.parse(reply.text) as Explanation
}

async function sent(runtime: Runtime, path: string, headers: Record<string, string>, body?: unknown): Promise<Reply> {
  const response = await fetch(`${both.addresses[runtime]}${path}`, {
    method: body ? 'POST' : 'GET',
    headers: { 'content-type': 'application/json', ...headers },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  return { status: response.status, headers: response.headers, text: await response.text() }
}

const withKey = () => ({ authorization: `Bearer ${both.key}` })

describe.each(runtimes)('A request that is to be explained, on %s', (runtime) => {
  it('gets each attempt in order, with what it would take', async () => {
    const plan = await explain(runtime, chat('m', { temperature: 1 }))
    expect(plan).toMatchObject({ object: 'routing.plan', operation: 'chat', model: 'm', error: null, skipped: [] })
    expect(plan.attempts.map(({ deployment, why }) => `${deployment} ${why}`)).toEqual([
      'a/m requested',
      'b/blind requested',
      'b/spare fallback',
      'b/long context_length',
    ])
    expect(plan.attempts[0]).toEqual({
      deployment: 'a/m',
      provider: 'a',
      why: 'requested',
      timeout: 60,
      stream_timeout: 20,
      idle_timeout: 120,
      retries: 0,
      price: { input: 1, output: 2 },
      breaker: { state: 'closed', due_in: 0 },
      changes: { set: ['top_p', 'temperature'], drop: [] },
      dropped: [],
      refusal: null,
    })
    expect(plan).toMatchObject({ max_attempts: 12, request_timeout: 1200, on_exhausted: 'least_bad' })
  })

  it('gets what would be passed over, and why', async () => {
    const { skipped } = await explain(runtime, { model: 'm', messages: image, provider: { ignore: ['a'] } })
    expect(skipped.map(({ name, reason }) => [name, reason])).toEqual([
      ['a/m', 'excluded'],
      ['b/blind', 'incapable'],
    ])
  })

  it('gets the fields that a target lacks: those left out, and those for which it refuses', async () => {
    const { attempts } = await explain(runtime, chat('mixed', { logit_bias: { 1: 1 }, temperature: 0 }))
    const message = "Unsupported parameter: 'logit_bias' is not supported with this model."
    expect(attempts.map(({ deployment, dropped, refusal }) => [deployment, dropped, refusal])).toEqual([
      ['serve/strict', [], { reason: 'incapable', param: 'logit_bias', message }],
      ['serve/lenient', ['logit_bias'], null],
      ['b/spare', [], null],
    ])
  })

  it.each([
    ['a schema', { response_format: { type: 'json_schema', json_schema: { schema: { type: 'object' } } } }],
    ['several choices', { n: 3, seed: 1 }],
    ['functions', { functions: [{ name: 'f' }] }],
  ])('gets no refusal for %s, which is asked for in another way', async (_what, more) => {
    const { attempts } = await explain(runtime, chat('mixed', more))
    expect(attempts.map(({ dropped, refusal }) => [dropped, refusal])).toEqual(Array(3).fill([[], null]))
  })

  it('gets the refusal of a schema that can’t be put in another way', async () => {
    const schema = { type: 'string', pattern: '^(a+)+$' }
    const format = { type: 'json_schema', json_schema: { schema } }
    const [attempt] = (await explain(runtime, chat('mixed', { response_format: format }))).attempts
    expect(attempt?.refusal).toMatchObject({ reason: 'incapable', param: 'response_format' })
  })

  it('is told what the client would get if nothing can be tried', async () => {
    const { attempts, error } = await explain(runtime, chat('unheard'))
    expect([attempts, error]).toEqual([[], expect.objectContaining({ status: 404, code: 'model_not_found' })])
  })

  it('is read as the operation that it fits, or that the address names', async () => {
    expect((await explain(runtime, { model: 'm', prompt: 'hi' })).operation).toBe('completions')
    expect((await explain(runtime, { model: 'm', prompt: 'hi', messages: image }, '?operation=chat')).operation).toBe(
      'chat',
    )
    expect((await explain(runtime, { model: 'm', input: 'hi' })).operation).toBe('embeddings')
    const reply = await both.ask(runtime, chat('m'), '/explain?operation=singing')
    expect([reply.status, errorOf(reply).param]).toEqual([400, 'operation'])
  })

  it('is refused as the request would be', async () => {
    const reply = await both.ask(runtime, { model: 'm', messages: [] }, '/explain')
    expect([reply.status, errorOf(reply).code]).toEqual([400, 'empty_array'])
    expect((await sent(runtime, '/explain', {}, chat('m'))).status).toBe(401)
  })

  it('reaches no provider', async () => {
    for (const model of ['m', 'unheard', 'a/other']) await explain(runtime, chat(model))
    expect([...first.seen, ...second.seen]).toEqual([])
  })
})

describe.each(runtimes)('A request that wants its trace, on %s', (runtime) => {
  const wish = { 'x-samewire-explain': 'true' }
  const traceOf = ({ headers }: Reply) => JSON.parse(headers.get('x-samewire-trace') ?? '') as object

  it('gets it with the answer, in characters that every header can hold', async () => {
    const reply = await sent(runtime, '/chat/completions', { ...withKey(), ...wish }, chat('straße'))
    const header = reply.headers.get('x-samewire-trace') ?? ''
    expect([reply.status, /^[\x20-\x7e]+$/.test(header)]).toEqual([200, true])
    const ms = expect.any(Number)
    expect(traceOf(reply)).toEqual({
      attempts: [
        { deployment: 'a/straße', why: 'requested', ms, status: 500, failure: 'upstream', reason: 'upstream_error' },
        { deployment: 'b/spare', why: 'fallback', ms },
      ],
      skipped: [],
    })
  })

  it('gets it with an error, and only if it wants it', async () => {
    const wanted = await sent(runtime, '/chat/completions', { ...withKey(), ...wish }, chat('weak'))
    expect([wanted.status, traceOf(wanted)]).toMatchObject([502, { attempts: [{ deployment: 'a/weak' }] }])
    const plain = await sent(runtime, '/chat/completions', withKey(), chat('weak'))
    expect(plain.headers.has('x-samewire-trace')).toBe(false)
  })

  it('gets no more than 4 KB of it', async () => {
    const models = Array.from({ length: 20 }, (_, at) => `${'x'.repeat(400)}${at}`)
    const reply = await sent(runtime, '/chat/completions', { ...withKey(), ...wish }, chat('m', { models }))
    expect(reply.headers.get('x-samewire-trace')?.length).toBeLessThanOrEqual(4096)
    expect(traceOf(reply)).toMatchObject({ cut: true })
  })
})

describe.each(runtimes)('The readiness, on %s', (runtime) => {
  it('is told to everybody, and the providers only to those with a key', async () => {
    const anybody = await sent(runtime, '/../health/readiness', {})
    expect(Object.keys(JSON.parse(anybody.text))).toEqual(['status', 'deployments', 'in_cooldown'])
    const known = await sent(runtime, '/../health/readiness', withKey())
    expect(JSON.parse(known.text)).toMatchObject({ status: 'ready', providers: { b: { deployments: 1 } } })
    expect([...first.seen, ...second.seen]).toEqual([])
  })
})

describe('A deployment in cooldown', () => {
  it('is explained as such, and explaining doesn’t take the one request that may try it', async () => {
    const { gateway, clock } = await start()
    await ask(gateway, chat('weak'))
    const explained = async () =>
      JSON.parse((await ask(gateway, chat('weak'), { path: '/explain' })).text) as Explanation
    const { attempts, skipped } = await explained()
    expect(attempts[0]?.breaker).toEqual({ state: 'open', due_in: 540 })
    expect(skipped[0]).toMatchObject({ name: 'a/weak', reason: 'cooldown' })
    await clock.advance(600_000)
    for (let time = 0; time < 3; time++) expect((await explained()).attempts[0]?.breaker.state).toBe('half_open')
    first.script(json(200, chatAnswer('back')))
    expect((await ask(gateway, chat('weak'))).status).toBe(200)
    expect((await explained()).attempts[0]?.breaker.state).toBe('closed')
  })

  it('is due in whole milliseconds, rounded up: what is told as due can be tried', async () => {
    const { gateway, clock } = await start()
    await ask(gateway, chat('weak'))
    for (const [passed, due] of [
      [1.2345, 539.999],
      [539_998.5, 0.001],
      [0.5, 0],
    ] as const) {
      await clock.advance(passed)
      const { attempts } = JSON.parse((await ask(gateway, chat('weak'), { path: '/explain' })).text) as Explanation
      expect(attempts[0]?.breaker.due_in).toBe(due)
    }
  })

  it('makes the gateway unready once all others are in it too', async () => {
    const { gateway, clock } = await start({ models: { weak: 'a/weak', 'other/*': 'b/*' } })
    const readiness = async () => {
      const response = await fetch(`http://127.0.0.1:${gateway.port}/health/readiness`)
      return [response.status, await response.json()]
    }
    await ask(gateway, chat('weak'))
    expect(await readiness()).toMatchObject([200, { status: 'ready', deployments: 2, in_cooldown: 1 }])
    second.script(oops)
    await ask(gateway, chat('other/some'))
    expect(await readiness()).toMatchObject([503, { status: 'unavailable', providers: { b: { in_cooldown: 1 } } }])
    await clock.advance(600_000)
    expect((await readiness())[0]).toBe(200)
  })

  it('counts by provider where no models are configured', async () => {
    const { gateway } = await start({ models: {} })
    await ask(gateway, chat('a/some'))
    const response = await fetch(`http://127.0.0.1:${gateway.port}/health/readiness`)
    const count = (cooling: number) => ({ deployments: 1, in_cooldown: cooling })
    expect(await response.json()).toMatchObject({ status: 'ready', providers: { a: count(1), b: count(0) } })
  })
})

describe('The trace of a request', () => {
  it('is a comment in a stream that had opened before it was known', async () => {
    const reports: RequestReport[] = []
    const { gateway, clock } = await start({}, (report) => reports.push(report))
    for (const [script, expected] of [
      [stream(chatFrames('late')), /: x-samewire-trace: \{"attempts":\[\{"deployment":"a\/straße/],
      [oops, /: x-samewire-trace: \{"attempts":\[\{.*"failure":"upstream".*\n\ndata: \{"error"/],
    ] as const) {
      let answer = () => {}
      second.script((...asked) => {
        answer = () => void script(...asked)
      })
      const headers = { 'x-samewire-explain': 'true' }
      const opened = open(gateway, chat('straße', { stream: true }), { headers })
      await until(() => second.seen.length > 0)
      await clock.advance(10_000)
      const response = await opened
      answer()
      expect((await response.text()).replaceAll('\\u00df', 'ß')).toMatch(expected)
      second.seen.length = 0
    }
    expect(reports.map(({ failure }) => failure?.kind)).toEqual([undefined, 'upstream'])
  })

  it('is handed on once, when the request is over: of answers, failures, streams and refusals', async () => {
    const reports: RequestReport[] = []
    const { gateway } = await start({}, (report) => reports.push(report))
    const last = () => reports.at(-1)
    await ask(gateway, chat('b/fine'))
    expect([reports.length, last()]).toMatchObject([1, { operation: 'chat', failure: undefined, outcome: 'done' }])
    expect(last()).toMatchObject({
      path: '/chat/completions',
      status: 200,
      model: 'b/fine',
      served: { label: 'b/fine' },
    })
    await ask(gateway, chat('weak'))
    expect([reports.length, last()?.failure?.kind, last()?.outcome]).toEqual([2, 'upstream', 'failed'])
    await ask(gateway, { model: 'm' })
    expect([reports.length, last()?.failure?.kind, last()?.trace.attempts]).toEqual([3, 'bad_request', []])
    const [role = '', hello = ''] = chatFrames('hello')
    second.script(stream([role, hello], 'silence'))
    const leave = new AbortController()
    const response = await open(gateway, chat('b/fine', { stream: true }), { signal: leave.signal })
    await response.body?.getReader().read()
    expect(reports).toHaveLength(3)
    leave.abort()
    await until(() => reports.length > 3)
    expect([last()?.outcome, last()?.status]).toEqual(['gone', 200])
    second.script(stream([role, hello]))
    await ask(gateway, chat('b/fine', { stream: true }))
    expect([reports.length, last()?.trace.attempts[0]?.broke, last()?.outcome]).toEqual([5, true, 'cut'])
    second.script(silence)
    const gone = new AbortController()
    const asked = open(gateway, chat('b/fine'), { signal: gone.signal }).catch(() => {})
    second.seen.length = 0
    await until(() => second.seen.length > 0)
    gone.abort()
    await asked
    await until(() => reports.length > 5)
    expect(last()?.failure?.kind).toBe('gone')
  })

  it('does no harm when the one who gets it fails', async () => {
    const { gateway } = await start({}, () => {
      throw new Error('no room for metrics')
    })
    expect((await ask(gateway, chat('b/fine'))).status).toBe(200)
    expect(gateway.logged.join()).toContain('no room for metrics')
  })
})
