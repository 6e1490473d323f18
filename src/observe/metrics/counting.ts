import type { Observer, RequestReport } from '../../core/report.ts'
import { dialects } from '../../dialects/index.ts'
import { realtimePaths } from '../../operations/facts.ts'
import type { Count, Facts, Times } from './facts.ts'
import type { KnownNames } from './known-names.ts'
import { other } from './registry.ts'

/** One set of names: how requests with the same facts are counted. */
export interface MetricSet {
  countFor(facts: Facts, names: KnownNames): Count
}

export interface Counting {
  readonly sets: readonly MetricSet[]
  readonly names: KnownNames
  /** Whether a metric tells of keys. */
  readonly byKey: boolean
  readonly began: () => void
  readonly over: () => void
}

/** Requests that are counted alike. */
interface Alike {
  readonly path: string
  readonly operation: string | undefined
  readonly model: string | undefined
  readonly served: string | undefined
  readonly key: string | undefined
  readonly status: number
  readonly outcome: RequestReport['outcome']
  readonly failure: string | undefined
  readonly count: Count
}

/** The paths of all routes. */
const routes: ReadonlySet<string> = new Set([
  ...dialects.flatMap((dialect) => dialect.routes.map(({ path }) => path)),
  ...realtimePaths,
])
/** Families of other paths that are counted apart. */
const mostFamilies = 50

/** An observer that counts. What requests have in common is looked up once; then to count one is a few additions. */
export class RequestCounter implements Observer {
  readonly #counting: Counting
  /** By who served them, or by their model if nobody did. */
  readonly #known = new Map<string, Alike[]>()
  readonly #families = new Set<string>()

  constructor(counting: Counting) {
    this.#counting = counting
  }

  began(): void {
    this.#counting.began()
  }

  over(report: RequestReport): void {
    this.#counting.over()
    this.#countOf(report)(report, timesOf(report))
  }

  #countOf(report: RequestReport): Count {
    const { names, byKey } = this.#counting
    const { path, operation, model, served, status, outcome } = report
    const key = byKey ? report.key : undefined
    const failure = report.failure?.kind
    const found = this.#find({ path, operation, model, served: served?.label, key, status, outcome, failure })
    if (found) return found
    // Names that clients make up are counted as others are, and never remembered.
    const counted = {
      ...{ operation, key, status, outcome, failure },
      path: this.#pathOf(path),
      model: model === undefined ? undefined : names.model(model),
      served: served && names.deployment(served.label),
    }
    return this.#find(counted) ?? this.#added(counted, providerOf(report))
  }

  #find(asked: Omit<Alike, 'count'>): Count | undefined {
    const all = this.#known.get(asked.served ?? asked.model ?? '')
    if (!all) return undefined
    for (let n = 0; n < all.length; n++) {
      const one = all[n] as Alike
      if (
        one.status === asked.status &&
        one.outcome === asked.outcome &&
        one.failure === asked.failure &&
        one.path === asked.path &&
        one.model === asked.model &&
        one.served === asked.served &&
        one.key === asked.key &&
        one.operation === asked.operation
      )
        return one.count
    }
    return undefined
  }

  #added(asked: Omit<Alike, 'count'>, provider: string): Count {
    const { path, operation = '', model = '', served = '', key = '', status, outcome } = asked
    const failure = asked.failure ?? (outcome === 'cut' || outcome === 'gone' ? outcome : '')
    const names = { path, operation, model, deployment: served, provider, key }
    const count = this.#combined({ ...names, status: String(status), outcome, failure })
    const group = asked.served ?? asked.model ?? ''
    const all = this.#known.get(group)
    if (all) all.push({ ...asked, count })
    else this.#known.set(group, [{ ...asked, count }])
    return count
  }

  #combined(facts: Facts): Count {
    const { sets, names } = this.#counting
    const [one, two, three] = sets.map((set) => set.countFor(facts, names))
    return (report, times) => {
      one?.(report, times)
      two?.(report, times)
      three?.(report, times)
    }
  }

  /** What is passed on has the names of objects in its path, and counts by its first part. */
  #pathOf(path: string): string {
    if (routes.has(path)) return path
    const family = /^\/[^/]*/.exec(path)?.[0] ?? other
    if (this.#families.size < mostFamilies) this.#families.add(family)
    return this.#families.has(family) ? family : other
  }
}

function providerOf({ served, trace }: RequestReport): string {
  const last = trace.attempts.at(-1)?.deployment
  const asked = served ?? trace.plan?.targets.find(({ deployment }) => deployment.label === last)?.deployment
  const definition = asked?.provider.definition
  return definition?.telemetryName ?? definition?.type ?? ''
}

function timesOf({ ms, firstMs, streams, tokens, trace }: RequestReport): Times {
  const { attempts } = trace
  const first = streams ? firstMs : undefined
  const output = tokens?.output ?? 0
  const own = attempts.length === 1 && firstMs !== undefined ? Math.max(0, firstMs - (attempts[0]?.ms ?? 0)) : 0
  return {
    total: ms / 1000,
    upstream: (ms - own) / 1000,
    first: first === undefined ? undefined : first / 1000,
    perToken: first === undefined || output < 2 ? undefined : (ms - first) / 1000 / (output - 1),
  }
}
