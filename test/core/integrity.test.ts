import { describe, expect, it } from 'vitest'
import { streamError } from '../../src/core/failure.ts'
import { through } from '../../src/core/stream.ts'
import { endCheck } from '../../src/layers/integrity.ts'
import { asGatewayError, errorEnvelope, GatewayError } from '../../src/wire/errors.ts'
import { eventsOf, expectBrokenOff } from '../support/ask.ts'
import { randomCuts } from '../support/replay.ts'
import { fakeProvider, listenTo, pumpOf } from '../support/sinks.ts'
import { chatFrames, chunk } from '../support/upstream.ts'

const texts = {
  told: (error: unknown) => streamError(error, fakeProvider('p'), undefined),
  broke: (error: unknown) => errorEnvelope(asGatewayError(error)),
}

type End = 'end' | 'break'

/** What a client gets of `text`, cut by `cut` and ended in one of two ways. */
function pass(text: string, end: End = 'end', cut: (whole: Buffer) => Buffer[] = (whole) => [whole]): string {
  const { pump } = pumpOf()
  const ear = listenTo(through(pump, endCheck(texts)))
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

  it('never says so inside a line that has begun, not even in an event of megabytes', () => {
    const text = cutOff + chunk({ content: 'x'.repeat(3_000_000) }).slice(0, -30)
    const received = pass(text, 'break', (all) => slices(all, 65_536))
    expect(eventsOf(received).at(-1)?.data.slice(0, 9)).toBe('{"error":')
    const said = received.slice(0, received.indexOf('\n\ndata: {"error"'))
    expect(said.length).toBeGreaterThan(1_000_000)
    expect(text.startsWith(said)).toBe(true)
  })

  it('gets no second error where its upstream told of one', () => {
    const text = `${cutOff}data: {"error":{"message":"boom","type":"server_error","param":null,"code":null}}\n\n`
    expect(pass(text)).toBe(text)
  })

  it('tells nothing of what went wrong inside the gateway', () => {
    const { pump } = pumpOf()
    const ear = listenTo(through(pump, endCheck(texts)))
    pump.break(new TypeError('secret detail'))
    expect(ear.said).toContain('internal_error')
    expect(ear.said).not.toContain('secret detail')
  })
})

function slices(whole: Buffer, size: number): Buffer[] {
  return Array.from({ length: Math.ceil(whole.length / size) }, (_, at) => whole.subarray(at * size, (at + 1) * size))
}
