import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'

/** The core for the gateways and the core for everything else; undefined if the machine can't separate them. */
export interface Cores {
  readonly gateway: number | undefined
  readonly load: number | undefined
}

/** The first and last core available to this process: adjacent numbers are often two threads of one core. */
export const cores: Cores = findCores()

function findCores(): Cores {
  const allowed = existsSync('/proc/self/status')
    ? listOf(/Cpus_allowed_list:\s+(\S+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '')
    : []
  if (allowed.length < 2 || !hasTaskset()) return { gateway: undefined, load: undefined }
  return { gateway: allowed[0], load: allowed.at(-1) }
}

/** Why CPU can't be measured reliably here; undefined if it can. */
export function whyNotMeasurable(): string | undefined {
  if (!existsSync('/proc/self/stat')) return 'CPU time is read from /proc, which is not here'
  if (!hasTaskset()) return 'there is no taskset to keep gateway and load on different cores'
  if (cores.gateway === undefined) return 'there is only one core: gateway and load would disturb each other'
  return undefined
}

/** Keeps this process, the load generator, off the gateways' core. */
export function keepTo(core: number | undefined): void {
  if (core === undefined) return
  const keep = () => execFileSync('taskset', ['-a', '-c', '-p', String(core), String(process.pid)], { stdio: 'pipe' })
  // A thread may end after taskset has found it.
  try {
    keep()
  } catch {
    keep()
  }
}

/** Microseconds that a core was busy so far with any process, including steal time; the resolution is 10 ms. */
export function busyOf(core: number | undefined): number {
  const line = new RegExp(`^cpu${core} (.*)$`, 'm').exec(readFileSync('/proc/stat', 'utf8'))?.[1]
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = line?.split(' ').map(Number) ?? []
  return (user + nice + system + irq + softirq + steal) * 10_000
}

function hasTaskset(): boolean {
  try {
    execFileSync('taskset', ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** Parses `0-2,5` as 0, 1, 2, 5. */
function listOf(ranges: string): number[] {
  return ranges.split(',').flatMap((range) => {
    const [first = Number.NaN, last = first] = range.split('-').map(Number)
    return Array.from({ length: last - first + 1 }, (_, at) => first + at)
  })
}
