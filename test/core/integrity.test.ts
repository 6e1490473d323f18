import { describe, expect, it } from 'vitest'
import { withStep } from '../../src/core/answer.ts'
import { streamError } from '../../src/core/failure.ts'
import { failureWords } from '../../src/core/failure-words.ts'
import { integrityStep, type Words } from '../../src/layers/integrity.ts'
import { ChoicesReader } from '../../src/operations/choices/reader.ts'
import { asGatewayError, errorEnvelope, GatewayError } from '../../src/wire/errors.ts'
import { eventsOf, expectBrokenOff } from '../support/ask.ts'
import { ManualClock } from '../support/gateway.ts'
import { randomCuts } from '../support/replay.ts'
import { answerOf, callOf, Listener, pumpOf } from '../support/sinks.ts'
import { chatFrames, chunk } from '../support/upstream.ts'

await failureWords.load()

const words: Words = {
  told: (error: unknown) => streamError(error, callOf()),
  broke: (error: unknown) => errorEnvelope(asGatewayError(error)),
  name: 'p',
  services: { random: Math.random, clock: new ManualClock() },
}

function checked(pump: ReturnType<typeof pumpOf>['pump']) {
  const step = integrityStep(new ChoicesReader({ n: 2 }), words, 'never')
  return new Listener(withStep(answerOf(pump), step), new ManualClock()).ear
}

type End = 'end' | 'break'

/** What a client gets of `text`, cut by `cut` and ended in one of two ways. */
function pass(text: string, end: End = 'end', cut: (whole: Buffer) => Buffer[] = (whole) => [whole]): string {
  const { pump } = pumpOf()
  const ear = checked(pump)
  for (const piece of cut(Buffer.from(text))) pump.push(piece)
  if (end === 'end') pump.finish()
  else pump.break(new GatewayError('network', 'The connection broke.', { code: 'upstream_stream_truncated' }))
  expect(ear.heard.at(-1)).toBe('<end>')
  return ear.said.slice(0, -'<end>'.length)
}

const whole = chatFrames('grün', '日本語').join('')
const done = 'data: [DONE]\n\n'
const cutOff = chatFrames('a', 'b').slice(0, 3).join('')

describe('A stream that is whole', () => {
  it('passes untouched, however it is cut', () => {
    for (const end of ['\n', '\r\n', '\r']) {
      const text = whole.replaceAll('\n', end)
      for (let seed = 0; seed < 40; seed++) expect(pass(text, 'end', randomCuts(seed, 1 + seed))).toBe(text)
    }
  })

  it('gets the [DONE] that its upstream forgot', () => {
    expect(pass(whole.replace(done, ''))).toBe(whole)
  })

  it('gets the blank line that its upstream forgot', () => {
    expect(pass(whole.trimEnd())).toBe(whole)
  })

  it('may end with its usage, and with comments', () => {
    const usage = 'data: {"choices":[],"usage":{"total_tokens":1}}\n\n'
    const text = whole.replace(done, `${usage}: bye\n\n${done}`)
    expect(pass(text)).toBe(text)
  })

  it('may be large after its finish', () => {
    const text = whole.replace(done, `${`: ${'x'.repeat(1000)}\n\n`.repeat(10)}${done}`)
    expect(pass(text)).toBe(text)
  })

  it('may say much after its finish, event by event', () => {
    const filter = 'data: {"choices":[{"index":0,"finish_reason":null,"content_filter_offsets":{"start":0}}]}\n\n'
    const text = whole.replace(done, filter.repeat(200) + done)
    expect(pass(text, 'end', (all) => slices(all, 100))).toBe(text)
    expect(pass(text.replace(done, ''))).toBe(text)
  })

  it('may end with one large event after its finish, in pieces of its own', () => {
    const usage = `data: {"choices":[],"usage":{"total_tokens":1,"note":"${'x'.repeat(20_000)}"}}\n\n`
    const [before = ''] = whole.split(done)
    expect(pass(before + usage + done, 'end', () => [before, usage, done].map((text) => Buffer.from(text)))).toBe(
      before + usage + done,
    )
  })

  it('may tell its finish in an event of megabytes, in pieces', () => {
    const call = { tool_calls: [{ index: 0, function: { arguments: 'x'.repeat(3_000_000) } }] }
    const text = `${chunk({ role: 'assistant' })}${chunk(call, 'tool_calls')}${done}`
    expect(pass(text, 'end', (all) => slices(all, 65_536)) === text).toBe(true)
  })

  it('is whole although only its last blank line was lost to a reset', () => {
    expect(pass(whole.trimEnd(), 'break')).toBe(whole)
  })

  it('may hold an event of megabytes', () => {
    const image = chunk({ content: 'x'.repeat(3_000_000) })
    expect(pass(image + whole, 'end', (text) => slices(text, 65_536)) === image + whole).toBe(true)
  })
})

describe('A stream that breaks off', () => {
  it.each<[string, string, End]>([
    ['ends without a finish', cutOff, 'end'],
    ['is reset', cutOff, 'break'],
    ['is reset inside an event', `${cutOff}data: {"choi`, 'break'],
    ['ends inside an event', `${cutOff}data: {"choi`, 'end'],
    ['says [DONE] without a finish', cutOff + done, 'end'],
    ['says [DONE] without a finish or a blank line', (cutOff + done).trimEnd(), 'end'],
    ['is reset inside a line end', `${cutOff}data: {}\r\n\r`, 'break'],
    ['breaks before anything', '', 'break'],
  ])('says so when it %s', (_how, text, end) => {
    for (const cut of [undefined, randomCuts(3), (all: Buffer) => slices(all, 1)]) {
      const received = pass(text, end, cut)
      expect(expectBrokenOff(received)).toMatchObject({ type: 'server_error', code: 'upstream_stream_truncated' })
      expect(received.startsWith(text.slice(0, Math.min(cutOff.length, text.length)))).toBe(true)
    }
  })

  it('never says so inside an event that has begun, not even in one of megabytes', () => {
    const text = cutOff + chunk({ content: 'x'.repeat(3_000_000) }).slice(0, -30)
    const received = pass(text, 'break', (all) => slices(all, 65_536))
    expect(received.startsWith(`${cutOff}data: {"error":`)).toBe(true)
    expect(eventsOf(received)).toHaveLength(eventsOf(cutOff).length + 1)
  })

  it.each([
    ['is no JSON', 'data: {"choices":[{"index":0,"delta":{"content":"x"\n\n'],
    ['is a web page', 'data: <html>\n\n'],
    ['has a control character in its text', 'data: {"choices":[{"index":0,"delta":{"content":"a\u0001b"}}]}\n\n'],
    ['has a wrong escape', 'data: {"choices":[{"index":0,"delta":{"content":"a\\xb"}}]}\n\n'],
  ])('says so in place of an event that %s', (_what, event) => {
    for (const cut of [undefined, randomCuts(5), (all: Buffer) => slices(all, 1)]) {
      const received = pass(cutOff + event + whole, 'end', cut)
      expect(received.startsWith(cutOff)).toBe(true)
      expect(expectBrokenOff(received)).toMatchObject({ code: 'upstream_invalid_response' })
      expect(received).not.toContain(event.trim())
    }
  })

  it('says so when one of its choices never finishes', () => {
    const choice = (index: number, delta: object, reason: string | null = null) =>
      `data: ${JSON.stringify({ choices: [{ index, delta, finish_reason: reason }] })}\n\n`
    const begun = choice(0, { content: 'a' }) + choice(1, { content: 'b' }) + choice(0, {}, 'stop')
    for (const text of [begun + done, begun]) {
      const last = eventsOf(pass(text)).at(-1)?.data ?? ''
      expect(JSON.parse(last)).toMatchObject({ error: { code: 'upstream_stream_truncated' } })
    }
    const both = begun + choice(1, { content: 'c' }) + choice(1, {}, 'length') + done
    expect(pass(both)).toBe(both)
  })

  it('gets no second error where its upstream told of one', () => {
    const text = `${cutOff}data: {"error":{"message":"boom","type":"server_error","param":null,"code":null}}\n\n`
    expect(pass(text)).toBe(text)
  })

  it('tells nothing of what went wrong inside the gateway', () => {
    const { pump } = pumpOf()
    const ear = checked(pump)
    pump.break(new TypeError('secret detail'))
    expect(ear.said).toContain('internal_error')
    expect(ear.said).not.toContain('secret detail')
  })
})

function slices(whole: Buffer, size: number): Buffer[] {
  return Array.from({ length: Math.ceil(whole.length / size) }, (_, at) => whole.subarray(at * size, (at + 1) * size))
}
