import { describe, expect, it } from 'vitest'
import { Block } from '../../src/wire/block.ts'

describe('A block of bytes that come in pieces', () => {
  it('holds them in order, whatever their sizes', () => {
    const block = new Block()
    const expected: number[] = []
    for (let at = 0; at < 500; at++) {
      const piece = Uint8Array.from({ length: (at * 7) % 61 }, (_, n) => (at + n) % 256)
      expected.push(...piece)
      block.add(piece)
    }
    expect(block.size).toBe(expected.length)
    expect([...block.bytes]).toEqual(expected)
  })

  it('copies nothing while there is one piece only, and never writes to a piece that it was given', () => {
    const block = new Block()
    const first = Uint8Array.of(1, 2)
    block.add(first)
    expect(block.bytes).toBe(first)
    block.add(Uint8Array.of(3))
    expect([...first, ...block.bytes]).toEqual([1, 2, 1, 2, 3])
  })

  it('is empty after its bytes were taken, and leaves those alone', () => {
    const block = new Block()
    block.add(Uint8Array.of(1))
    block.add(Uint8Array.of(2))
    const taken = block.take()
    block.add(Uint8Array.of(3))
    expect([[...taken], [...block.bytes], block.size]).toEqual([[1, 2], [3], 1])
  })

  it('costs its bytes and not its pieces: a million of one byte', () => {
    const most = 1_000_000
    const block = new Block(most)
    for (let at = 0; at < most; at++) block.add(Uint8Array.of(at))
    expect(block.size).toBe(most)
    expect(block.bytes.buffer.byteLength).toBeLessThanOrEqual(most)
  })
})
