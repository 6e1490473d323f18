import { closeSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createLines } from '../../src/runtime/node-output.ts'
import { until } from '../support/ask.ts'

let file = ''
let descriptor = 0
let timers: (() => void)[] = []
const clock = {
  now: () => 0,
  after(_ms: number, action: () => void) {
    timers.push(action)
    return () => void timers.splice(timers.indexOf(action), 1)
  },
}
const written = () => readFileSync(file, 'utf8')

beforeEach(() => {
  file = join(tmpdir(), `samewire-output-${process.pid}`)
  descriptor = openSync(file, 'w')
  timers = []
})

afterEach(() => {
  closeSync(descriptor)
  rmSync(file)
})

describe('The lines of the log', () => {
  it('wait for others, also those that come during a write', async () => {
    const { write } = createLines(descriptor, clock)
    write('urgent', true)
    for (const line of ['one', 'two', 'three']) write(line)
    await until(() => timers.length === 1)
    expect(written()).toBe('urgent\n')
    write('four')
    expect(timers).toHaveLength(1)
    timers[0]?.()
    await until(() => written().includes('four'))
    expect(written()).toBe('urgent\none\ntwo\nthree\nfour\n')
  })

  it('go out at once if they are urgent or many, also those that come during a write', async () => {
    const { write } = createLines(descriptor, clock)
    write('first', true)
    write('second', true)
    await until(() => written() === 'first\nsecond\n')
    const long = 'x'.repeat(40_000)
    write(long)
    write(long)
    await until(() => written().length > 80_000)
    expect(timers).toEqual([])
  })

  it('are all written when the process ends', () => {
    const { write, flush } = createLines(descriptor, clock)
    for (const line of ['one', 'two']) write(line)
    flush()
    expect(written()).toBe('one\ntwo\n')
  })
})
