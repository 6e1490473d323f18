import type { Contender } from './contenders.ts'
import { cores } from './machine.ts'
import type { Reading, Scenario } from './scenarios.ts'
import { median, type Spread, spreadOf } from './statistics.ts'

/** The readings of a scenario by contender, one per round; undefined if the window was void. */
export type Readings = Readonly<Record<string, readonly (Reading | undefined)[]>>

/**
 * Runs one window of each contender after the other, `rounds` times after `warmUps` that don't count: V8 compiles in
 * the first seconds, longer if there is more code. The order is reversed every second round, so that none always
 * follows the same one. Void windows are reported and left out.
 */
export async function measure(
  scenario: Scenario,
  contenders: readonly Contender[],
  rounds: number,
  warmUps = 4,
): Promise<Readings> {
  const taking = contenders.filter(({ kinds }) => kinds.includes(scenario.kind))
  for (let window = 0; window < warmUps; window++) for (const contender of taking) await attempt(scenario, contender)
  const readings: Record<string, (Reading | undefined)[]> = Object.fromEntries(taking.map(({ name }) => [name, []]))
  for (let round = 0; round < rounds; round++) {
    const results: Record<string, Reading | undefined> = {}
    for (const contender of round % 2 === 0 ? taking : [...taking].reverse()) {
      results[contender.name] = await attempt(scenario, contender, (reason) =>
        console.log(`  void: ${contender.name} in round ${round + 1}, ${reason}`),
      )
    }
    const base = results.D?.p50
    for (const [name, reading] of Object.entries(results)) readings[name]?.push(reading && withAdded(reading, base))
  }
  return readings
}

async function attempt(scenario: Scenario, contender: Contender, tell = (_reason: string) => {}) {
  try {
    return await scenario.run(contender)
  } catch (error) {
    tell(error instanceof Error ? error.message : String(error))
    return undefined
  }
}

/** Adds what a gateway adds to the median time of asking directly, in microseconds. */
function withAdded(reading: Reading, direct: number | undefined): Reading {
  return reading.p50 === undefined || direct === undefined ? reading : { ...reading, added: reading.p50 - direct }
}

/** A figure in each round; NaN if missing. */
export function figuresOf(readings: Readings, name: string, figure: string): number[] {
  return (readings[name] ?? []).map((reading) => reading?.[figure] ?? Number.NaN)
}

/** The figure as a multiple of the yardstick's, round by round. */
export function ratioOf(readings: Readings, name: string, yardstick: string, figure: string): Spread {
  const theirs = figuresOf(readings, yardstick, figure)
  return spreadOf(figuresOf(readings, name, figure).map((value, round) => value / (theirs[round] ?? Number.NaN)))
}

/** Why these readings should not count; empty if the machine was quiet. */
export function doubts(readings: Readings): string[] {
  const found: string[] = []
  if (cores.gateway === undefined) found.push('gateway and load shared a core')
  const names = Object.keys(readings)
  const others = median(names.flatMap((name) => figuresOf(readings, name, 'others')))
  if (others > 10) found.push(`other programs took ${others.toFixed(0)} % of the gateways' core`)
  for (const name of names) {
    const { lower, upper } = spreadOf(figuresOf(readings, name, 'cpu'))
    if (upper / lower > 1.25) found.push(`the CPU of ${name} spread from ${lower.toFixed(1)} to ${upper.toFixed(1)} µs`)
    const voided = readings[name]?.filter((reading) => reading === undefined).length ?? 0
    if (voided > 0) found.push(`${voided} of the windows of ${name} were void`)
  }
  const direct = median(figuresOf(readings, 'D', 'rps'))
  const best = Math.max(...names.filter((name) => name !== 'D').map((name) => median(figuresOf(readings, name, 'rps'))))
  if (direct < 1.5 * best) {
    found.push(`the load gets only ${(direct / best).toFixed(2)} times the best gateway's rate directly: less than 1.5`)
  }
  return found
}
