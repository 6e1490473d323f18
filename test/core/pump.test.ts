import { describe, expect, it } from 'vitest'
import { sourceFrom, sourceOf } from '../../src/core/sources.ts'
import { bytes, Ear, listenTo, pumpOf, textOf, turns } from '../support/sinks.ts'

const large = new Uint8Array(65 * 1024)

describe('A pump', () => {
  it('passes chunks and the end in order', () => {
    const { pump } = pumpOf()
    const ear = listenTo(pump)
    pump.push(bytes('a'))
    pump.push(bytes('b'))
    pump.finish()
    expect(ear.heard).toEqual(['a', 'b', '<end>'])
  })

  it('keeps what comes before anybody listens, and the end too', () => {
    const { pump } = pumpOf()
    pump.push(bytes('a'))
    pump.push(bytes('b'))
    pump.finish()
    expect(listenTo(pump).said).toBe('ab<end>')
  })

  it('passes a failure after what came before it', () => {
    const { pump } = pumpOf()
    pump.push(bytes('a'))
    pump.break(new Error('broken'))
    expect(listenTo(pump).heard).toEqual(['a', '<fail broken>'])
  })

  it('says one end only, the first', () => {
    const { pump } = pumpOf()
    const ear = listenTo(pump)
    pump.finish()
    pump.break(new Error('late'))
    pump.finish()
    pump.push(bytes('late'))
    expect(ear.heard).toEqual(['<end>'])
  })

  it('holds everything back while paused, also the end, and asks the source to wait', () => {
    const { pump, source } = pumpOf()
    const ear = listenTo(pump)
    pump.push(bytes('a'))
    pump.pause()
    pump.push(bytes('b'))
    pump.finish()
    expect(ear.heard).toEqual(['a'])
    expect(source.asked).toEqual(['pause'])
    pump.resume()
    expect(ear.heard).toEqual(['a', 'b', '<end>'])
  })

  it('wakes a source that it made wait', () => {
    const { pump, source } = pumpOf()
    listenTo(pump)
    pump.pause()
    pump.pause()
    pump.resume()
    pump.resume()
    expect(source.asked).toEqual(['pause', 'resume'])
  })

  it('stops in the middle of what waits when its listener pauses, and goes on from there', () => {
    const { pump } = pumpOf()
    for (const text of ['a', 'b', 'c']) pump.push(bytes(text.repeat(9_000)))
    const ear = new Ear()
    ear.onChunk = (text) => {
      if (text.startsWith('b')) pump.pause()
    }
    pump.pipe(ear)
    expect(ear.heard.map((text) => text[0])).toEqual(['a', 'b'])
    pump.push(bytes('d'))
    pump.finish()
    expect(ear.heard).toHaveLength(2)
    pump.resume()
    expect(ear.said).toBe(`${'a'.repeat(9_000)}${'b'.repeat(9_000)}${'c'.repeat(9_000)}d<end>`)
  })

  it('asks the source to wait when much waits, and wakes it once a listener has it', () => {
    const { pump, source } = pumpOf()
    pump.push(large)
    pump.push(large)
    expect(source.asked).toEqual(['pause'])
    listenTo(pump)
    expect(source.asked).toEqual(['pause', 'resume'])
  })

  it('hands the rest to a second listener', () => {
    const { pump } = pumpOf()
    const first = listenTo(pump)
    pump.push(bytes('a'))
    pump.pause()
    pump.push(bytes('b'))
    const second = listenTo(pump)
    pump.push(bytes('c'))
    pump.finish()
    expect(first.heard).toEqual(['a'])
    expect(second.heard).toEqual(['b', 'c', '<end>'])
  })

  it('stops its source when it is cancelled and says no more', () => {
    const { pump, source } = pumpOf()
    const ear = listenTo(pump)
    pump.push(bytes('a'))
    pump.cancel('enough')
    pump.cancel('again')
    pump.push(bytes('b'))
    pump.finish()
    expect(ear.heard).toEqual(['a'])
    expect(source.asked).toEqual(['cancel enough'])
  })

  it('says no more when its listener cancels it in the middle of what waits', () => {
    const { pump, source } = pumpOf()
    pump.push(bytes('a'.repeat(9_000)))
    pump.push(bytes('b'.repeat(9_000)))
    const ear = new Ear()
    ear.onChunk = () => pump.cancel('enough')
    pump.pipe(ear)
    expect(ear.said).toBe('a'.repeat(9_000))
    expect(source.asked).toEqual(['cancel enough'])
  })

  it('leaves a source alone that has ended by itself', () => {
    const { pump, source } = pumpOf()
    pump.push(bytes('a'))
    pump.finish()
    pump.cancel('late')
    expect(source.asked).toEqual([])
    expect(listenTo(pump).heard).toEqual([])
  })
})

describe('A pump whose opening is looked at', () => {
  it('still has all of it, in order, for whoever listens then', () => {
    const { pump, source } = pumpOf()
    const seen: string[] = []
    pump.push(bytes('a'))
    pump.peek({ chunk: (chunk) => seen.push(textOf(chunk)) > 2, end() {}, fail() {} })
    pump.push(bytes('b'))
    pump.push(bytes('c'))
    expect([seen, source.asked]).toEqual([['a', 'b', 'c'], ['pause']])
    pump.push(bytes('d'))
    expect(seen).toHaveLength(3)
    pump.finish()
    expect(listenTo(pump).said).toBe('abcd<end>')
  })

  it('tells of an end or a break that comes before enough was seen', () => {
    for (const how of ['end', 'fail']) {
      const { pump } = pumpOf()
      const seen: string[] = []
      pump.peek({ chunk: () => false, end: () => seen.push('end'), fail: () => seen.push('fail') })
      pump.push(bytes('a'))
      if (how === 'end') pump.finish()
      else pump.break(new Error('reset'))
      expect(seen).toEqual([how])
      expect(listenTo(pump).said).toBe(how === 'end' ? 'a<end>' : 'a<fail reset>')
    }
  })

  it('is not made to wait, however much comes before enough was seen', () => {
    const { pump, source } = pumpOf()
    pump.peek({ chunk: () => false, end() {}, fail() {} })
    for (let times = 0; times < 4; times++) pump.push(large)
    expect(source.asked).toEqual([])
  })

  it('costs its bytes and not its pieces while it waits', () => {
    const { pump } = pumpOf()
    const before = process.memoryUsage().rss
    for (let at = 0; at < 400_000; at++) pump.push(Uint8Array.of(97))
    pump.finish()
    expect(process.memoryUsage().rss - before).toBeLessThan(80_000_000)
    expect(listenTo(pump).said).toHaveLength(400_005)
  })
})

describe('A stream of what is there', () => {
  it('says it and ends', () => {
    expect(listenTo(sourceOf([bytes('a'), bytes('b')])).said).toBe('ab<end>')
  })
})

describe('A stream of a producer', () => {
  it('says what is produced, in order', async () => {
    async function* produce() {
      yield bytes('a')
      yield bytes('b')
    }
    const ear = listenTo(sourceFrom(produce()))
    await turns()
    expect(ear.heard).toEqual(['a', 'b', '<end>'])
  })

  it('passes what the producer throws', async () => {
    async function* produce() {
      yield bytes('a')
      throw new Error('broken')
    }
    const ear = listenTo(sourceFrom(produce()))
    await turns()
    expect(ear.heard).toEqual(['a', '<fail broken>'])
  })

  it('produces no faster than it is read', async () => {
    let produced = 0
    async function* produce() {
      for (;;) {
        produced++
        yield bytes(String(produced))
      }
    }
    const stream = sourceFrom(produce())
    const ear = new Ear()
    ear.onChunk = () => stream.pause()
    stream.pipe(ear)
    await turns()
    expect(ear.heard).toEqual(['1'])
    expect(produced).toBeLessThanOrEqual(2)
    stream.resume()
    await turns()
    expect(ear.heard).toEqual(['1', '2'])
    stream.cancel('enough')
  })

  it('ends its producer when it is cancelled', async () => {
    let ended = false
    async function* produce() {
      try {
        for (;;) yield bytes('x')
      } finally {
        ended = true
      }
    }
    const stream = sourceFrom(produce())
    const ear = new Ear()
    ear.onChunk = () => stream.pause()
    stream.pipe(ear)
    await turns()
    stream.cancel('enough')
    await turns()
    expect(ended).toBe(true)
    expect(ear.heard).toEqual(['x'])
  })
})
