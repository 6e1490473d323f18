import { describe, expect, it } from 'vitest'
import { comment, EventReader, frame, type ServerEvent } from '../../src/wire/sse.ts'
import { seeded } from '../support/ask.ts'
import { randomCuts } from '../support/replay.ts'

function readAll(pieces: readonly Uint8Array[]): ServerEvent[] {
  const reader = new EventReader()
  return [...pieces.flatMap((piece) => reader.read(piece)), ...reader.end()]
}

const read = (text: string): ServerEvent[] => readAll([Buffer.from(text)])

describe('The reader of events', () => {
  it.each([
    ['LF', 'data: a\n\ndata: b\n\n'],
    ['CR', 'data: a\r\rdata: b\r\r'],
    ['CRLF', 'data: a\r\n\r\ndata: b\r\n\r\n'],
    ['all of them', 'data: a\r\n\ndata: b\r\n\r'],
    ['no last blank line', 'data: a\n\ndata: b'],
    ['a last CR alone', 'data: a\n\ndata: b\r'],
    ['comments between', ': hi\ndata: a\n\n: there\n\n:\ndata: b\n\n'],
    ['no space', 'data:a\n\ndata:b\n\n'],
    ['a byte order mark', '\ufeffdata: a\n\ndata: b\n\n'],
    ['fields that nobody knows', 'id: 7\nretry: 3\nx\ndata: a\n\ndata: b\n\n'],
  ])('reads lines that end with %s', (_name, text) => {
    expect(read(text).map(({ data }) => data)).toEqual(['a', 'b'])
  })

  it('joins several data lines and keeps all but the first space', () => {
    expect(read('data:  a\ndata\ndata:b\n\n')).toEqual([{ data: ' a\n\nb' }])
  })

  it('tells the name of an event, and of that one only', () => {
    expect(read('event: error\ndata: a\n\ndata: b\n\n')).toEqual([{ data: 'a', event: 'error' }, { data: 'b' }])
  })

  it('tells nothing of an event without data', () => {
    expect(read('event: ping\n\n\n\ndata: a\n\n')).toEqual([{ data: 'a' }])
  })

  it('reads the same however the bytes are cut, inside characters and line ends too', () => {
    const random = seeded(7)
    const ends = ['\n', '\r', '\r\n']
    const words = ['größer', '日本語', '👩‍👩‍👧', 'a"b\\', '']
    const pick = (list: readonly string[]) => list[Math.floor(random() * list.length)] as string
    for (let round = 0; round < 300; round++) {
      // One kind of line end a stream: a CR before an LF of another line would be one end, not two.
      const end = pick(ends)
      const sent = Array.from({ length: 5 }, () => `${pick(words)}${pick(words)}`)
      const text = sent.map((data) => `: c${end}data: ${data}${end}${end}`).join('')
      const pieces = randomCuts(round, 1 + (round % 9))(Buffer.from(text))
      expect(readAll(pieces).map(({ data }) => data)).toEqual(sent)
    }
  })
})

describe('What the gateway writes itself', () => {
  it('is one data line with a space and a blank line, whatever the text holds', () => {
    const text = Buffer.from(frame({ text: 'a\nb\r\n\n日' })).toString()
    expect(text).toMatch(/^data: \{[^\r\n]*\}\n\n$/)
    expect(JSON.parse(read(text)[0]?.data ?? '')).toEqual({ text: 'a\nb\r\n\n日' })
  })

  it('is a comment that stays a comment', () => {
    expect(Buffer.from(comment('a\r\ndata: b\n\nc')).toString()).toBe(': a data: b c\n\n')
  })
})
