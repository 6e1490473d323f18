import { describe, expect, it } from 'vitest'
import { Gathering } from '../../src/observe/metrics/gathering.ts'
import { sumOf as added, type Metric, type Tally } from '../../src/observe/metrics/metric.ts'
import { Registry } from '../../src/observe/metrics/registry.ts'
import { wordedFor } from '../../src/observe/metrics/text.ts'
import { hastyClock } from '../support/ask.ts'
import { parseMetrics, sumOf } from './prometheus.ts'

const counter: Metric = {
  ...{ name: 'test.count', prometheus: 'test_count_total', help: 'Counts.', unit: '1', type: 'counter' },
  attributes: ['of'],
}
const gauge: Metric = { ...counter, name: 'test.gauge', prometheus: 'test_gauge', type: 'gauge', attributes: [] }
const bounds = [0.1, 1]
const histogram = { ...counter, name: 'test.time', prometheus: 'test_time', type: 'histogram', bounds } as const
const metrics = [counter, gauge, histogram]

async function read(tally: Tally) {
  const { body } = await wordedFor(undefined, metrics, tally, async () => {})
  return parseMetrics(new TextDecoder().decode(body))
}

/** What a process has that counted `n`, and took `times`. */
function tallyOf(n: number, times: readonly number[] = []): Tally {
  const registry = new Registry(n)
  registry.counter(counter, [`only ${n}`]).add()
  registry.counter(counter, ['all']).add(n)
  registry.counter(gauge, []).add()
  for (const time of times) registry.histogram(histogram, ['all']).observe(time)
  return registry.tally()
}

describe('The counts of several processes', () => {
  it('are added up, whichever each has', async () => {
    const found = await read(added([tallyOf(1, [0.05, 0.1]), tallyOf(2, [0.5, 7])]))
    expect(sumOf(found, 'test_count_total', { of: 'all' })).toBe(3)
    expect(sumOf(found, 'test_count_total', { of: 'only 2' })).toBe(1)
    expect(sumOf(found, 'test_gauge')).toBe(2)
    expect(['0.1', '1', '+Inf'].map((le) => sumOf(found, 'test_time_bucket', { le }))).toEqual([2, 3, 4])
    expect(sumOf(found, 'test_time_sum')).toBeCloseTo(7.65)
  })

  it('never fall when one ends, but what it had at the moment is gone', async () => {
    const gathering = new Gathering<string>(hastyClock())
    const gather = (members: readonly string[]) =>
      gathering.gather(members, (member, id) => gathering.heard(member, tallyOf(member.length), id))
    expect(sumOf(await read(await gather(['a', 'bb'])), 'test_count_total', { of: 'all' })).toBe(3)
    gathering.ended('bb')
    const found = await read(await gather(['a']))
    expect(sumOf(found, 'test_count_total', { of: 'all' })).toBe(3)
    expect(sumOf(found, 'test_gauge')).toBe(1)
  })

  it('are told without a process that hangs, or that ends instead of an answer', async () => {
    const gathering = new Gathering<string>(hastyClock())
    gathering.heard('hangs', tallyOf(5))
    const hanging = await gathering.gather(['hangs'], () => {})
    expect(sumOf(await read(hanging), 'test_count_total', { of: 'all' })).toBe(5)
    const ending = await gathering.gather(['hangs'], (member) => gathering.ended(member))
    expect(sumOf(await read(ending), 'test_count_total', { of: 'all' })).toBe(5)
  })
})

describe('The series', () => {
  it('are at most 2,000, and one of each metric for what is more', async () => {
    const registry = new Registry(0)
    for (let n = 0; n < 10_000; n++) registry.counter(counter, [`name ${n}`]).add()
    registry.histogram(histogram, ['late']).observe(1)
    const found = await read(registry.tally())
    expect(registry.tally().series.length).toBe(2_002)
    expect(sumOf(found, 'test_count_total')).toBe(10_000)
    expect(sumOf(found, 'test_count_total', { of: 'other' })).toBe(8_000)
    expect(sumOf(found, 'test_time_count', { of: 'other' })).toBe(1)
    expect(registry.folded).toBe(8_001)
  })
})
