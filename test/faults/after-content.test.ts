import { describe, expect, it } from 'vitest'
import { ask, chat, eventsOf, expectBrokenOff, hastyClock, noLists, open, until, wordsOf } from '../support/ask.ts'
import { duringTests } from '../support/during-tests.ts'
import { ManualClock, serveUpstreams, startGateway } from '../support/gateway.ts'
import { chatAnswer, chatFrames, chunk, json, type Script, stream } from '../support/upstream.ts'

const type = 'openai-compatible'
const frames = chatFrames('good', ' day')
const begun = frames.slice(0, 3)
const error = { message: 'boom', type: 'server_error', param: null, code: 'oops' }

const { upstream, spare } = serveUpstreams({ upstream: undefined, spare: stream(chatFrames('spare')) })
const gateway = duringTests(() =>
  startGateway(
    {
      providers: { p: { type, baseURL: upstream.url }, spare: { type, baseURL: spare.url } },
      models: { m: { deployments: ['p/m'], fallbacks: ['spare/m'] } },
      // Each fault is to be met, not the cooldown after it.
      cooldown: false,
    },
    { services: noLists, clock: hastyClock() },
  ),
)

async function streamed(script: Script): Promise<string> {
  upstream.script(script)
  const reply = await ask(gateway, chat('m', { stream: true }))
  expect(reply.status).toBe(200)
  expect(reply.headers.get('x-samewire-model')).toBe('p/m')
  return reply.text
}

describe('A stream that breaks after its first content', () => {
  it.each<[string, Script]>([
    ['is reset', stream(begun, 'reset')],
    ['is reset inside an event', stream([...begun, 'data: {"choices":[{"del'], 'reset')],
    ['is reset inside a character', stream([...begun, Buffer.from('data: "日').subarray(0, 8)], 'reset')],
    ['ends without a finish', stream(begun)],
    ['ends inside an event', stream([...begun, 'data: {"choices":[{"del'])],
    ['says [DONE] without a finish', stream([...begun, 'data: [DONE]\n\n'])],
    ['tells of an error', stream([...begun, `data: ${JSON.stringify({ error })}\n\n`])],
    ['tells of an error and is reset', stream([...begun, `data: ${JSON.stringify({ error })}\n\n`], 'reset')],
  ])('ends with an error event, no end and no finish, when it %s', async (_how, script) => {
    const text = await streamed(script)
    expect(text.startsWith(begun.join(''))).toBe(true)
    expect(expectBrokenOff(text)).toMatchObject({ type: 'server_error', code: expect.any(String) })
    expect(spare.seen).toEqual([])
  })

  it('keeps what its upstream said of an error', async () => {
    const text = await streamed(stream([...begun, `data: ${JSON.stringify({ error })}\n\n`]))
    expect(JSON.parse(eventsOf(text).at(-1)?.data ?? '')).toEqual({ error })
  })

  it('ends with an error event when nothing more comes', async () => {
    const clock = new ManualClock()
    const config = { providers: { p: { type, baseURL: upstream.url } }, idleTimeout: 60 }
    const patient = await startGateway(config, { clock, services: noLists })
    upstream.script(stream(begun, 'silence'))
    const response = await open(patient, chat('p/m', { stream: true }))
    const text = response.text()
    await until(() => clock.waiting > 0)
    await clock.advance(59_000)
    const last = upstream.seen.at(-1)
    await clock.advance(16_000)
    expect(expectBrokenOff(await text)).toMatchObject({ code: 'upstream_timeout' })
    await last?.abandoned
    expect(clock.waiting).toBe(0)
    await patient.close()
  })
})

describe('A stream that has told its end', () => {
  it('is whole, whatever becomes of the connection', async () => {
    expect(await streamed(stream(frames, 'reset'))).toBe(frames.join(''))
  })
})

describe('A stream that is whole', () => {
  const whole = frames.join('')

  it.each<[string, Script]>([
    ['in one piece', stream([whole])],
    ['in pieces of three bytes', stream(slices(Buffer.from(whole), 3))],
    ['without [DONE]', stream(frames.slice(0, -1))],
    ['without the last blank line', stream([whole.trimEnd()])],
  ])('comes through the same: %s', async (_how, script) => {
    expect(await streamed(script)).toBe(whole)
  })

  it('keeps its own line ends, CRLF', async () => {
    const text = whole.replaceAll('\n', '\r\n')
    expect(await streamed(stream(slices(Buffer.from(text), 7)))).toBe(text)
  })

  it('gets line ends that all clients know where it has CR alone', async () => {
    expect(await streamed(stream(slices(Buffer.from(whole.replaceAll('\n', '\r')), 7)))).toBe(whole)
  })

  it('keeps its characters when they are cut in the middle', async () => {
    const text = chatFrames('größer', '日本語', '👩‍👩‍👧').join('')
    const received = await streamed(stream(slices(Buffer.from(text), 3)))
    expect(received).toBe(text)
    expect(wordsOf(received)).toBe('größer日本語👩‍👩‍👧')
  })

  it('keeps its comments', async () => {
    const text = [': OPENROUTER PROCESSING\n\n', ...begun, ': still here\n\n', ...frames.slice(3)].join('')
    expect(await streamed(stream([text]))).toBe(text)
  })

  it('may be empty but for its finish', async () => {
    const text = [chunk({ role: 'assistant', content: '' }), chunk({}, 'stop'), 'data: [DONE]\n\n'].join('')
    expect(await streamed(stream([text]))).toBe(text)
  })
})

describe('A whole answer', () => {
  it('comes through to the byte', async () => {
    const body = `{ "choices" : [{"message":{"content":"日\\u0041 9007199254740993"}}], "big": 9007199254740993, "x":1.0 }\n`
    upstream.script(json(200, body))
    expect((await ask(gateway, chat('m'))).text).toBe(body)
  })

  it('is told apart from its upstream’s headers: limits come through, cookies don’t', async () => {
    upstream.script(
      json(200, chatAnswer('x'), {
        'x-ratelimit-remaining-tokens': '7',
        'x-request-id': 'up-1',
        'set-cookie': 'a=b',
        server: 'secret/1.0',
      }),
    )
    const { status, headers } = await ask(gateway, chat('m'))
    expect(status).toBe(200)
    expect(headers.get('x-ratelimit-remaining-tokens')).toBe('7')
    expect(headers.get('x-samewire-upstream-request-id')).toBe('up-1')
    expect(headers.get('x-request-id')).toMatch(/^req_[0-9a-f]{32}$/)
    expect([headers.get('set-cookie'), headers.get('server')]).toEqual([null, null])
  })
})

function slices(whole: Buffer, size: number): Buffer[] {
  return Array.from({ length: Math.ceil(whole.length / size) }, (_, at) => whole.subarray(at * size, (at + 1) * size))
}
