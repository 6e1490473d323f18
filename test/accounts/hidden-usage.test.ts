import { describe, expect, it } from 'vitest'
import { HiddenUsage } from '../../src/operations/choices/hidden-usage.ts'

const chunk =
  'data: {"id":"c","choices":[{"index":0,"delta":{"content":"hi []"},"finish_reason":null}],"usage":null}\n\n'
const called = 'data: {"choices":[{"index":0,"delta":{"tool_calls":[]},"finish_reason":"stop"}]}\n\n'
const usage = 'data: {"id":"c","choices": [],"usage":{"prompt_tokens":3,"completion_tokens":2}}\n\n'
const other = 'data: {"choices":[],"prompt_filter_results":[]}\n\n'
const done = 'data: [DONE]\n\n'

function passed(text: string, cut = text.length): string {
  const stage = new HiddenUsage()
  const out: Uint8Array[] = []
  const bytes = new TextEncoder().encode(text)
  for (let at = 0; at < bytes.length; at += cut)
    stage.chunk(bytes.subarray(at, at + cut), (one) => out.push(one.slice()))
  stage.end((one) => out.push(one.slice()))
  return Buffer.concat(out).toString()
}

describe('A stream whose usage only the gateway has asked for', () => {
  const text = chunk + called + usage + other + done

  it.each([1, 2, 7, 64, 10_000])('loses that chunk and nothing else, cut into pieces of %i bytes', (cut) => {
    expect(passed(text, cut)).toBe(chunk + called + other + done)
  })

  it('loses it where lines end in CRLF, or the stream without a blank line', () => {
    const windows = text.replaceAll('\n', '\r\n')
    expect(passed(windows, 5)).toBe((chunk + called + other + done).replaceAll('\n', '\r\n'))
    expect(passed(`${chunk}${usage.trimEnd()}`)).toBe(chunk)
  })

  it('keeps a half event at its end', () => {
    expect(passed(`${chunk}data: {"choi`, 3)).toBe(`${chunk}data: {"choi`)
  })
})
