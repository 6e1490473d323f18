import { randomBytes } from 'node:crypto'
import { adminGuard } from '../../../src/admin/guard.ts'
import { createGuard } from '../../../src/http/access.ts'
import { keptInMemory } from '../../support/accounting.ts'

/** What tells two sorts of wrong keys apart, if anything does. */
export interface Told {
  readonly what: string
  /** Nanoseconds that a refusal takes, on average, for one sort and for the other. */
  readonly means: readonly [number, number]
  /** Welch's t: beyond ±10 it is no chance. */
  readonly t: number
  readonly isTold: boolean
}

/** Refuses a key. */
type Refusing = (key: string) => unknown
type Sort = readonly string[]

/** Keys of each sort, and how many of them are refused in one measurement: one alone takes less than a clock can tell. */
const [many, together] = [256, 16]
/** What takes longer has had something else happen in between. */
const kept = 0.9
/** A difference that counts has both: no chance, and so much of the whole. */
const [unlikely, noticeable] = [10, 0.02]

/**
 * Measures whether the time of a refusal tells how near a wrong key is to a right one: keys that differ in their last
 * two characters, and keys that differ in all. The last of the results is of a comparison that does tell, as a control.
 */
export async function timed(measurements: number): Promise<readonly Told[]> {
  const secrets = Array.from({ length: 8 }, () => text(48))
  const keys = secrets.map((secret, at) => ({ name: `key ${at}`, secret }))
  const [first = '', last = ''] = [secrets[0], secrets.at(-1)]
  const guard = createGuard({ mode: 'keys', keys })
  const admin = adminGuard({ adminKey: first, access: { mode: 'open' } })
  const store = await keptInMemory()
  const made = flat(`sk-sw-${text(42)}`)
  store.put(made, { name: 'made' })
  const { accounts } = store.accounting.charge({
    ...{ catalog: { models: new Map(), providers: new Map() } as never, known: new Map(), keys: [], log: () => {} },
    clock: { now: () => 0 } as never,
  })
  const withStore = createGuard({ mode: 'keys', keys }, undefined, accounts)
  const byHeader = (check: (header: (name: string) => string | undefined) => unknown) => (key: string) =>
    refused(() => check((name) => (name === 'authorization' ? `Bearer ${key}` : undefined)))
  const far = () => sortOf(() => text(48))
  const asked = byHeader((header) => guard(header, 'POST'))
  const limit = Error.stackTraceLimit
  // Traces of stacks take longer than all else.
  Error.stackTraceLimit = 0
  try {
    return [
      compared('the first key of the configuration', asked, near(first), far(), measurements),
      compared('the last key of the configuration', asked, near(last), far(), measurements),
      compared(
        'the admin key',
        byHeader((header) => admin(header, 'GET', true)),
        near(first),
        far(),
        measurements,
      ),
      compared(
        'a key of the store',
        byHeader((header) => withStore(header, 'POST')),
        near(made),
        sortOf(() => flat(`sk-sw-${text(42)}`)),
        measurements,
      ),
      control(measurements),
    ]
  } finally {
    Error.stackTraceLimit = limit
  }
}

/** The same of what no gateway may do. */
export function control(measurements: number): Told {
  const secret = text(48)
  const startsAs = (key: string) => {
    for (let at = 0; at < secret.length; at++) if (secret.charCodeAt(at) !== key.charCodeAt(at)) return false
    return true
  }
  return compared(
    'a comparison that stops early',
    startsAs,
    near(secret),
    sortOf(() => text(48)),
    measurements,
  )
}

function compared(what: string, refuse: Refusing, one: Sort, other: Sort, measurements: number): Told {
  const sorts = [one, other]
  const found: [number[], number[]] = [[], []]
  // The first ones have the code compiled.
  for (let n = -measurements / 10; n < measurements; n++) {
    // In a random order: what else the machine does meets both alike.
    const which = Math.random() < 0.5 ? 0 : 1
    const ns = measured(refuse, sorts[which] as Sort)
    if (n >= 0) found[which].push(ns)
  }
  const bound = [...found[0], ...found[1]].sort((a, b) => a - b)[Math.floor(measurements * kept)] ?? 0
  const [a, b] = found.map((all) => statisticsOf(all.filter((ns) => ns <= bound)))
  if (!a || !b) throw new Error('nothing was measured')
  const t = (a.mean - b.mean) / Math.sqrt(a.variance / a.count + b.variance / b.count)
  const share = Math.abs(a.mean - b.mean) / Math.min(a.mean, b.mean)
  return { what, means: [a.mean, b.mean], t, isTold: Math.abs(t) > unlikely && share > noticeable }
}

function measured(refuse: Refusing, sort: Sort): number {
  const begin = Math.floor(Math.random() * (many - together))
  const before = process.hrtime.bigint()
  for (let at = begin; at < begin + together; at++) refuse(sort[at] as string)
  return Number(process.hrtime.bigint() - before) / together
}

function statisticsOf(all: readonly number[]) {
  const count = all.length
  const mean = all.reduce((sum, one) => sum + one, 0) / count
  const variance = all.reduce((sum, one) => sum + (one - mean) ** 2, 0) / (count - 1)
  return { count, mean, variance }
}

function refused(check: () => unknown): void {
  let isThrown = false
  try {
    check()
  } catch {
    isThrown = true
  }
  if (!isThrown) throw new Error('a wrong key was let in')
}

const sortOf = (make: () => string): Sort => Array.from({ length: many }, make)

/** Keys that differ from a secret in their last two characters at most. */
const near = (secret: string): Sort =>
  sortOf(() => {
    const key = flat(secret.slice(0, -2) + text(2))
    return key === secret ? flat(`${secret.slice(0, -1)}~`) : key
  })

const text = (length: number): string => flat(randomBytes(length).toString('base64url').slice(0, length))

/** The same text in one piece: to read one that is made of pieces takes another time. */
const flat = (one: string): string => Buffer.from(one, 'latin1').toString('latin1')
