import { describe, expect, it } from 'vitest'
import type { StreamBody } from '../../src/core/answer.ts'
import { gate } from '../../src/layers/gate.ts'
import { randomCuts } from '../support/replay.ts'
import { answerOf, bytes, callOf, fakeProvider, listenTo, pumpOf, targetOf, turns } from '../support/sinks.ts'
import { chatFrames, chunk } from '../support/upstream.ts'

const role = chunk({ role: 'assistant', content: '' })
const content = chunk({ content: 'x' })

function gated() {
  const { pump, source } = pumpOf()
  const targets = [targetOf(fakeProvider('p'))]
  const answered = gate(async () => answerOf(pump))(callOf({ targets, stream: true }))
  let state = 'held'
  answered.then(
    () => {
      state = 'open'
    },
    () => {
      state = 'refused'
    },
  )
  return { pump, source, answered, state: () => turns().then(() => state) }
}

/** What the gate makes of a whole stream. */
async function judge(text: string, cut: (whole: Buffer) => Buffer[] = (whole) => [whole]) {
  const { pump, answered } = gated()
  answered.catch(() => {})
  await turns()
  for (const piece of cut(Buffer.from(text))) pump.push(piece)
  pump.finish()
  return listenTo(((await answered).body as StreamBody).source).said
}

describe('The gate', () => {
  it.each([
    ['text', content],
    ['a tool call', chunk({ tool_calls: [{ index: 0, id: 'call_1' }] })],
    ['reasoning', chunk({ reasoning_content: 'hm' })],
    ['a refusal', chunk({ refusal: 'no' })],
    ['the finish of an empty answer', chunk({}, 'stop')],
    ['legacy text', 'data: {"choices":[{"index":0,"text":"x"}]}\n\n'],
  ])('opens at the first content: %s', async (_what, frame) => {
    const { pump, state, answered } = gated()
    await turns()
    pump.push(bytes(role))
    expect(await state()).toBe('held')
    pump.push(bytes(frame))
    expect(await state()).toBe('open')
    pump.push(bytes('data: [DONE]\n\n'))
    pump.finish()
    expect(listenTo(((await answered).body as StreamBody).source).said).toBe(`${role}${frame}data: [DONE]\n\n<end>`)
  })

  it.each([
    ['a role', role],
    ['a comment', ': OPENROUTER PROCESSING\n\n'],
    ['empty tool calls', chunk({ tool_calls: [], content: null })],
    ['usage alone', 'data: {"choices":[],"usage":{}}\n\n'],
    ['half an event with content', content.slice(0, -1)],
    ['an empty event', 'data:\n\n'],
    ['null', 'data: null\n\n'],
  ])('stays closed for %s, and refuses a stream of that alone', async (_what, frame) => {
    const { pump, state, answered } = gated()
    await turns()
    pump.push(bytes(frame))
    expect(await state()).toBe('held')
    if (frame === content.slice(0, -1)) return
    pump.finish()
    await expect(answered).rejects.toMatchObject({ kind: 'protocol' })
  })

  it.each([
    ['an error object', 'data: {"error":{"message":"Rate limit","code":429}}\n\n', 'rate_limit'],
    ['an error text', 'data: {"error":"boom"}\n\n', 'upstream'],
    ['an event called error', 'event: error\ndata: {"message":"boom"}\n\n', 'upstream'],
    ['no JSON', 'data: <html>\n\n', 'protocol'],
  ])('refuses a stream that opens with %s, and stops it', async (_what, frame, kind) => {
    const { pump, source, answered } = gated()
    await turns()
    pump.push(bytes(role + frame))
    await expect(answered).rejects.toMatchObject({ kind })
    expect(source.asked[0]).toMatch(/^cancel/)
  })

  it('lets an error pass that comes after content: it is too late for another try', async () => {
    const text = `${content}data: {"error":{"message":"boom"}}\n\n`
    expect(await judge(text)).toBe(`${text}<end>`)
  })

  it('passes on the failure of a stream that breaks before its first content', async () => {
    const { pump, answered } = gated()
    await turns()
    pump.push(bytes(role))
    pump.break(new Error('reset'))
    await expect(answered).rejects.toThrow('reset')
  })

  it('does not lose an end or a break that comes with the content', async () => {
    for (const how of ['end', 'fail reset']) {
      const { pump, answered } = gated()
      await turns()
      pump.push(bytes(content.slice(0, -1)))
      pump.push(bytes('\n'))
      if (how === 'end') pump.finish()
      else pump.break(new Error('reset'))
      expect(listenTo(((await answered).body as StreamBody).source).said).toBe(`${content}<${how}>`)
    }
  })

  it('opens for content whose last blank line is missing', async () => {
    expect(await judge(content.trimEnd())).toBe(`${content.trimEnd()}<end>`)
  })

  it('lets every byte through untouched, however it is cut', async () => {
    for (const end of ['\n', '\r\n', '\r']) {
      const text = [': hi\n\n', ...chatFrames('grün', '日本語', '👩‍👩‍👧')].join('').replaceAll('\n', end)
      for (let seed = 0; seed < 40; seed++) expect(await judge(text, randomCuts(seed, 1 + seed))).toBe(`${text}<end>`)
    }
  })

  it('holds no more than its bound: what comes without end goes on', async () => {
    const { pump, state } = gated()
    await turns()
    for (let kilobytes = 0; kilobytes < 256; kilobytes += 64) pump.push(bytes(`:${'x'.repeat(64 * 1024 - 3)}\n\n`))
    expect(await state()).toBe('held')
    pump.push(bytes(': more\n\n'))
    expect(await state()).toBe('open')
  })

  it('holds the source back from the moment it opens until somebody reads', async () => {
    const { pump, source, answered } = gated()
    await turns()
    pump.push(bytes(content))
    const { body } = await answered
    expect(source.asked).toEqual(['pause'])
    listenTo((body as StreamBody).source)
    expect(source.asked).toEqual(['pause', 'resume'])
  })

  it('leaves a whole answer alone', async () => {
    const answer = answerOf(bytes('{}'))
    expect(await gate(async () => answer)(callOf())).toBe(answer)
  })
})
