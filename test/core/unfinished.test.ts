import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../../src/wire/json.ts'
import { EventReader } from '../../src/wire/sse.ts'
import { afterHalf, afterTypedHalf } from '../../src/wire/unfinished.ts'
import { cpuFor } from '../support/cpu.ts'

const envelope = {
  error: { message: 'It broke.', type: 'server_error', param: null, code: 'upstream_stream_truncated' },
}
const strict = new TextDecoder('utf-8', { fatal: true })

/** What a reader gets of an event that was cut after `at` bytes and mended: its `data` lines. */
function mended(event: string, at: number, told?: JsonObject): string[] {
  const half = new TextEncoder().encode(event).subarray(0, at)
  const text = strict.decode(Uint8Array.from([...half, ...afterHalf(half, told)]))
  expect(text.endsWith('\n\n')).toBe(true)
  return text
    .split(/[\r\n]+/)
    .filter((line) => line.startsWith('data:'))
    .map((line) => line.slice('data:'.length).trim())
}

describe.each([
  ['a delta', 'data: {"id":"a","choices":[{"index":0,"delta":{"content":"h\\\\i"},"finish_reason":null}]}'],
  ['characters of every length', 'data: {"choices":[{"delta":{"content":"aé€\u0800😀\u{10000}\u{10ffff}"}}]}'],
  ['escapes', 'data: {"choices":[{"delta":{"content":"\\u00e9\\"\\n\\ud83d\\ude00"}}],"\\u0061":1}'],
  ['numbers and literals', 'data:{"a":-12.5e+3,"b":[true,false,null,0.1],"c":{},"d":[]}'],
  ['spaces and CRLF', 'data:  { "a" : [ 1 , { "b" : 2 } , [ ] ] , "c" : "d" }'],
  ['a field before it', 'event: message\ndata: {"choices":[{"delta":{"content":"hi"}}]}'],
])('An event of %s that is cut anywhere', (_, event) => {
  const length = new TextEncoder().encode(event).length

  it('tells the error, once and last, in what every parser reads', () => {
    for (let at = 0; at <= length; at++) {
      const said = mended(event, at, envelope).map((data) => JSON.parse(data) as { error?: unknown })
      expect(said.filter(({ error }) => error)).toEqual([said.at(-1)])
      expect(said.at(-1)?.error).toEqual(envelope.error)
    }
  })

  it('is whole before the stream ends well', () => {
    for (let at = 0; at <= length; at++) {
      const said = mended(event, at)
      expect(said.pop()).toBe('[DONE]')
      for (const data of said) JSON.parse(data)
    }
  })
})

it('Half an event with a type is never taken for a whole one, wherever it is cut', () => {
  const response = { id: 'r', status: 'completed', output: [{ content: [{ text: 'é😀' }] }], type: 'x' }
  const data = JSON.stringify({ response, sequence_number: 7, type: 'response.completed', error: null })
  const event = new TextEncoder().encode(
    `event: response.completed\ndata: ${data.replace('{', '{"type":"response.completed",')}`,
  )
  const ending = new TextEncoder().encode('event: response.failed\ndata: {"type":"response.failed"}\n\n')
  for (let at = 0; at < event.length; at++) {
    const half = event.subarray(0, at)
    const reader = new EventReader()
    const events = [...reader.read(Uint8Array.from([...half, ...afterTypedHalf(half, ending)])), ...reader.end()]
    const types = events.filter((one) => one.data !== '').map((one) => [one.event, JSON.parse(one.data).type])
    expect(types.pop()).toEqual(['response.failed', 'response.failed'])
    expect(types.filter(([name, type]) => name !== 'keepalive' || type !== 'keepalive')).toEqual([])
  }
})

it('Half an event that is too deep or too long to be closed takes no time', async () => {
  for (const half of [`data: {"a":${'['.repeat(200_000)}`, `data: {"a":"${'x'.repeat(5_000_000)}`]) {
    let last: string | undefined
    const took = await cpuFor(() => {
      last = mended(half, half.length, envelope).at(-1)
    })
    expect(took).toBeLessThan(5_000)
    expect(last).toContain('upstream_stream_truncated')
  }
})

describe('Half of what is no object', () => {
  it.each([['data: [DON'], ['data: [DONE]']])('%s is completed', (half) => {
    expect(mended(half, half.length)).toEqual(['[DONE]'])
    expect(mended(half, half.length, envelope)).toEqual(['[DONE]', JSON.stringify(envelope)])
  })

  it.each([['data: hello'], ['data: [1'], ['data: {"a":1}}'], ['data: {"a" "b"']])(
    '%s is left alone, and the error comes in an event of its own',
    (half) => {
      expect(mended(half, half.length, envelope)).toEqual([half.slice('data: '.length), JSON.stringify(envelope)])
    },
  )
})
