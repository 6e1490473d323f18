import { execFileSync } from 'node:child_process'
import { closeSync, constants, openSync, readFileSync, readSync, rmSync } from 'node:fs'
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

  it('wait where a pipe is full, and arrive whole and in order once somebody reads', () => {
    const path = `${file}-pipe`
    execFileSync('mkfifo', [path])
    const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
    const writer = openSync(path, constants.O_WRONLY)
    rmSync(path)
    let arrived = ''
    const bytes = Buffer.alloc(1024 * 1024)
    const read = () => {
      arrived += bytes.toString('latin1', 0, readSync(reader, bytes))
    }
    const lines = Array.from({ length: 5_000 }, (_, at) => `${at} ${'x'.repeat(at % 90)}`)
    const { write, flush } = createLines(writer, clock)
    for (const line of lines.slice(0, -1)) write(line)
    for (let reads = 0; reads < 3; reads++) {
      read()
      for (const again of timers.splice(0)) again()
    }
    expect(arrived.length).toBeGreaterThan(100_000)
    expect(lines.join('\n').startsWith(arrived)).toBe(true)
    read()
    write(lines.at(-1) ?? '')
    flush()
    read()
    expect(arrived).toBe(`${lines.join('\n')}\n`)
    for (const one of [reader, writer]) closeSync(one)
  })

  it('are all written when the process ends', () => {
    const { write, flush } = createLines(descriptor, clock)
    for (const line of ['one', 'two']) write(line)
    flush()
    expect(written()).toBe('one\ntwo\n')
  })
})
