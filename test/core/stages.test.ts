import { describe, expect, it } from 'vitest'
import { sourceOf } from '../../src/core/sources.ts'
import { translated } from '../../src/core/stages.ts'
import type { Stage } from '../../src/core/stream.ts'
import { concat } from '../../src/wire/block.ts'
import { bytes, listenTo, pumpOf, textOf } from '../support/sinks.ts'

const upper: Stage = {
  chunk(chunk, emit) {
    emit(bytes(textOf(chunk).toUpperCase()))
  },
}

describe('A stage', () => {
  it('translates what passes', () => {
    expect(listenTo(translated(sourceOf([bytes('a'), bytes('b')]), upper)).said).toBe('AB<end>')
  })

  it('may say more at the end, and nothing for a chunk', () => {
    const stage: Stage = { chunk() {}, end: (emit) => emit(bytes('z')) }
    expect(listenTo(translated(sourceOf([bytes('a')]), stage)).heard).toEqual(['z', '<end>'])
  })

  it('lets a failure pass when it says nothing of failures', () => {
    const { pump } = pumpOf()
    const ear = listenTo(translated(pump, upper))
    pump.break(new Error('broken'))
    expect(ear.heard).toEqual(['<fail broken>'])
  })

  it('may turn a failure into last words', () => {
    const { pump } = pumpOf()
    const ear = listenTo(translated(pump, { ...upper, fail: (error, emit) => emit(bytes(String(error))) }))
    pump.push(bytes('a'))
    pump.break('broken')
    expect(ear.heard).toEqual(['A', 'broken', '<end>'])
  })

  it('fails the stream with what it throws, and stops the source', () => {
    const { pump, source } = pumpOf()
    const stage: Stage = {
      chunk() {
        throw new Error('unreadable')
      },
    }
    const ear = listenTo(translated(pump, stage))
    pump.push(bytes('a'))
    pump.push(bytes('b'))
    pump.finish()
    expect(ear.heard).toEqual(['<fail unreadable>'])
    expect(source.asked).toEqual(['cancel Error: unreadable'])
  })

  it('fails the stream with what it throws at the end', () => {
    const stage: Stage = {
      ...upper,
      end() {
        throw new Error('incomplete')
      },
    }
    expect(listenTo(translated(sourceOf([bytes('a')]), stage)).heard).toEqual(['A', '<fail incomplete>'])
  })

  it('hands pause, resume and cancel to the source', () => {
    const { pump, source } = pumpOf()
    const stream = translated(pump, upper)
    listenTo(stream)
    stream.pause()
    stream.resume()
    stream.cancel('enough')
    expect(source.asked).toEqual(['pause', 'resume', 'cancel enough'])
  })

  it('keeps its state when another listener takes over', () => {
    let count = 0
    const { pump } = pumpOf()
    const stream = translated(pump, {
      chunk(_chunk, emit) {
        count++
        emit(bytes(String(count)))
      },
    })
    const first = listenTo(stream)
    pump.push(bytes('x'))
    stream.pause()
    pump.push(bytes('x'))
    const second = listenTo(stream)
    pump.finish()
    expect([first.heard, second.heard]).toEqual([['1'], ['2', '<end>']])
  })
})

describe('Collecting a stream', () => {
  const tooLarge = () => new Error('too large')

  it('makes one piece of it', async () => {
    expect(textOf(await sourceOf([bytes('a'), bytes('b')]).collect(2, tooLarge))).toBe('ab')
    expect(await sourceOf([]).collect(2, tooLarge)).toEqual(new Uint8Array())
  })

  it('rejects with what broke it', async () => {
    const { pump } = pumpOf()
    pump.break(new Error('broken'))
    await expect(pump.collect(10, tooLarge)).rejects.toThrow('broken')
  })

  it('gives up as soon as it is too large, and stops the source', async () => {
    const { pump, source } = pumpOf()
    const collected = pump.collect(2, tooLarge)
    pump.push(bytes('abc'))
    await expect(collected).rejects.toThrow('too large')
    expect(source.asked).toEqual(['cancel too large'])
  })

  it('copies nothing when there is one piece only', () => {
    const only = bytes('a')
    expect(concat([only])).toBe(only)
    expect(textOf(concat([bytes('a'), bytes('bc')]))).toBe('abc')
  })
})
