import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readArguments } from '../../src/node/arguments.ts'
import { chat, eventsOf, expectBrokenOff, expectEnvelope, until } from '../support/ask.ts'
import { configFile, launch, type Program } from '../support/program.ts'
import { answersIn, type RawAnswer } from '../support/raw-answers.ts'
import { chatFrames, chunk, type FakeUpstream, fakeUpstream, json, type Script, stream } from '../support/upstream.ts'

const type = 'openai-compatible'

/** What the upstream does for each model. */
const scripts: Readonly<Record<string, Script>> = {
  talks: stream(chatFrames('Hello', ' there').slice(0, 2), 'silence'),
  thinks() {},
  halts(_, response) {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' }).write('{"id": "x"')
  },
  blinks: json(503, { error: { message: 'busy' } }, { 'retry-after': '9' }),
  passes: stream(['event: response.created\ndata: {"text":"Hello"}\n\n'], 'silence'),
  downloads(_, response) {
    response.writeHead(200, { 'content-type': 'application/octet-stream' }).write('Hello')
  },
  cuts: stream([chunk({ content: 'Hello' }), 'data: {"choices": [{"index": 0, "del'], 'silence'),
}

interface Exchange {
  text: string
  readonly closed: Promise<void>
}

interface Sending {
  readonly path?: string
  readonly type?: string
  /** How many bytes of the body are written. */
  readonly length?: number
}

/** Writes a request and listens until the connection closes. A body that is no text is written as JSON. */
function send(port: number, body: unknown, sending: Sending = {}): Exchange {
  const { path = '/v1/chat/completions', type = 'application/json', length } = sending
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const head = `POST ${path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: ${type}\r\n`
  const request = `${head}content-length: ${text.length}\r\n\r\n${text.slice(0, length)}`
  const socket = connect(port, '127.0.0.1', () => socket.write(request))
  const exchange = { text: '', closed: new Promise<void>((resolve) => socket.once('close', () => resolve())) }
  socket.on('data', (data) => {
    exchange.text += data.toString('latin1')
  })
  socket.on('error', () => {})
  return exchange
}

async function portOf(program: Program): Promise<number> {
  return Number((await program.until(/listens on http:\/\/127\.0\.0\.1:(\d+)\/v1[\s\S]*curl .*\n/))[1])
}

describe.each([1, 2])('A gateway of %d whose time of grace is over', (workers) => {
  let upstream: FakeUpstream
  let config: Awaited<ReturnType<typeof configFile>>
  let code: number | null
  let exchanges: Readonly<Record<string, Exchange>>
  let waited: number
  let printed: string

  beforeAll(async () => {
    upstream = await fakeUpstream((request, ...rest) => {
      if (request.method === 'GET') return json(404, {})(request, ...rest)
      const { model } = JSON.parse(request.body) as { model: string }
      return scripts[model]?.(request, ...rest)
    })
    config = await configFile({
      providers: { lab: { type, baseURL: upstream.url }, other: { type, baseURL: upstream.url } },
      models: {
        resumed: { deployments: ['lab/talks', 'other/talks'], resume: true },
        safe: { deployments: ['lab/thinks'], fallbacks: ['other/talks'] },
        late: { deployments: ['lab/thinks'], fallbacks: ['other/talks'], streamTimeout: 0.2 },
      },
      keepAlive: 0.05,
      passThrough: 'lab',
    })
    const program = launch(['--workers', String(workers), '--config', config.path], { SAMEWIRE_GRACE: '1' })
    const port = await portOf(program)
    const completion = { model: 'lab/talks', prompt: 'hi', stream: true }
    exchanges = {
      'a stream': send(port, chat('lab/talks', { stream: true })),
      'a stream in the middle of an event': send(port, chat('lab/cuts', { stream: true })),
      'a stream that others could continue': send(port, chat('resumed', { stream: true })),
      'a stream that opened early': send(port, chat('safe', { stream: true })),
      'a stream that opened early and began late': send(port, chat('late', { stream: true })),
      'a stream of a completion': send(port, completion, { path: '/v1/completions' }),
      'a stream that is passed through': send(port, { model: 'passes' }, { path: '/v1/conversations' }),
      'a file that is passed through': send(port, { model: 'downloads' }, { path: '/v1/files' }),
      'a whole answer': send(port, chat('safe')),
      'a whole answer that has come in part': send(port, chat('lab/halts')),
      'a request that waits to be tried again': send(port, chat('lab/blinks')),
      'a request whose body is on its way': send(port, chat('lab/talks', { user: 'x'.repeat(5_000) }), {
        length: 3_000,
      }),
    }
    const all = Object.entries(exchanges)
    const begun = () =>
      upstream.seen.filter(({ method }) => method === 'POST').length === 12 &&
      all.every(([name, { text }]) => {
        if (name.endsWith('early')) return text.includes('keep-alive')
        return !/^a (stream|file)/.test(name) || text.includes('Hello')
      })
    await until(begun)
    const told = performance.now()
    program.signal('SIGTERM')
    await Promise.all(all.map(([, { closed }]) => closed))
    waited = performance.now() - told
    code = await program.ended
    printed = program.printed()
  })
  afterAll(async () => {
    await upstream.close()
    await config.remove()
  })

  function answerTo(name: string): RawAnswer {
    const answers = answersIn(exchanges[name]?.text ?? '')
    expect(answers).toHaveLength(1)
    return answers[0] as RawAnswer
  }

  it('ends with code 0, and not before', () => {
    expect(code).toBe(0)
    expect(waited).toBeGreaterThan(950)
  })

  it('says in its log that it has cut the streams itself', () => {
    expect(printed.match(/ 200 cut by the gateway \(shutting_down\) /g)).toHaveLength(8)
    expect(printed).not.toMatch(/POST \S+ 200 \d/)
  })

  it.each([
    ['a stream', 'Hello'],
    ['a stream in the middle of an event', 'Hello'],
    ['a stream that others could continue', 'Hello'],
    ['a stream of a completion', 'Hello'],
    ['a stream that is passed through', 'response.created'],
    ['a stream that opened early and began late', 'Hello'],
    ['a stream that opened early', undefined],
  ])('ends %s with an error event after what there was', (name, words) => {
    const { status, body } = answerTo(name)
    expect(status).toBe(200)
    expect(expectBrokenOff(body)).toEqual({
      message: 'The gateway was stopped before the end of the answer.',
      type: 'server_error',
      param: null,
      code: 'upstream_stream_truncated',
    })
    if (words) expect(JSON.stringify(eventsOf(body))).toContain(words)
  })

  it('breaks off a file that is passed through: its client must not take it for whole', () => {
    const { text = '' } = exchanges['a file that is passed through'] ?? {}
    expect(text).toMatch(/^HTTP\/1\.1 200 [\s\S]*\r\n5\r\nHello\r\n$/)
  })

  it.each([
    'a whole answer',
    'a whole answer that has come in part',
    'a request that waits to be tried again',
    'a request whose body is on its way',
  ])('tells %s to be asked for again', (name) => {
    const { status, head, body } = answerTo(name)
    expect([status, JSON.parse(body)]).toMatchObject([503, { error: { type: 'server_error', code: 'shutting_down' } }])
    expectEnvelope(JSON.parse(body))
    expect(head).toMatch(/\r\nretry-after: 1\r\n/i)
    expect(head).toMatch(/\r\nconnection: close/i)
    expect(head).not.toMatch(/^x-should-retry:/im)
  })
})

it('A gateway without any grace breaks off what runs at once', async () => {
  const upstream = await fakeUpstream(json(404, {}))
  const config = await configFile({ providers: { lab: { type, baseURL: upstream.url } } })
  const program = launch(['--grace', '0', '--config', config.path], { SAMEWIRE_GRACE: '600' })
  const port = await portOf(program)
  upstream.script(scripts.talks as Script)
  const exchange = send(port, chat('lab/talks', { stream: true }))
  await until(() => exchange.text.includes('Hello'))
  program.signal('SIGINT')
  await exchange.closed
  expect(expectBrokenOff(answersIn(exchange.text)[0]?.body ?? '').code).toBe('upstream_stream_truncated')
  expect(await program.ended).toBe(0)
  await config.remove()
  await upstream.close()
})

describe('The time of grace', () => {
  it.each<[string, string[], Record<string, string>, number]>([
    ['ten seconds unless somebody says more', [], {}, 10_000],
    ['what --grace says', ['--grace', '60'], {}, 60_000],
    ['what SAMEWIRE_GRACE says', [], { SAMEWIRE_GRACE: '0' }, 0],
    ['what the command line says where both say something', ['--grace', '2'], { SAMEWIRE_GRACE: 'x' }, 2_000],
  ])('is %s', (_what, args, env, expected) => {
    expect(readArguments(args, env).grace).toBe(expected)
  })

  it.each(['-1', 'x', '3601', '1.5', '', ' ', '10s'])('can’t be %j', (given) => {
    const allowed = `can't be used:\n  found ${given}; allowed: 0 to 3600`
    expect(() => readArguments([`--grace=${given}`], {})).toThrow(`--grace ${allowed}`)
    expect(() => readArguments([], { SAMEWIRE_GRACE: given })).toThrow(`SAMEWIRE_GRACE ${allowed}`)
  })

  it('that is wrong keeps the gateway from its start', async () => {
    const program = launch(['--grace', 'forever'])
    expect(await program.ended).toBe(2)
    expect(program.printed()).toBe("--grace can't be used:\n  found forever; allowed: 0 to 3600\n")
  })
})
