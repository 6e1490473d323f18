import type { Answers, Keeping, Stored } from '../cache/answers.ts'
import { decodeStored, encodeStored } from '../cache/encoding.ts'
import { type CacheHost, webDigest } from '../cache/host.ts'
import type { Clock } from '../core/clock.ts'

/** The part of a Worker's cache that is used. */
export interface WorkerCache {
  match(url: string): Promise<Response | undefined>
  put(url: string, response: Response): Promise<void>
}

export interface CacheApiOptions {
  readonly cache: WorkerCache
  readonly clock: Pick<Clock, 'now'>
  /** Keeps a Worker alive for work that outlasts its answer. */
  readonly defer: (work: Promise<unknown>) => void
  /** Counts drops for all data centres. Absent: what is dropped is so in this one. */
  readonly generations?: Generations | undefined
}

interface Generations {
  of(tenant: string): string | Promise<string>
  next(tenant?: string): Promise<void>
}

/** Nobody asks for these by a network. */
const base = 'https://answers.samewire.invalid/'
/** Seconds for which is remembered when something was dropped: longer than answers are kept, as a rule. */
const remembered = 30 * 24 * 60 * 60

/**
 * Answers in the cache of a Worker's data centre. It lists nothing, so what is dropped is told by generations, or else by a
 * mark of the time before which nothing is of use any more. Requests share nothing while they are under way: what belongs to one is cut off from
 * the others.
 */
export function cacheApiHost(options: CacheApiOptions): CacheHost {
  return { digest: webDigest, flies: false, answers: () => new CacheApiAnswers(options) }
}

export class CacheApiAnswers implements Answers {
  readonly #options: CacheApiOptions
  readonly #writing = new Set<Promise<unknown>>()
  readonly generationOf?: (tenant: string) => string | Promise<string>

  constructor(options: CacheApiOptions) {
    this.#options = options
    const { generations } = options
    if (generations) this.generationOf = (tenant) => generations.of(tenant)
  }

  async get(id: string, tenant: string): Promise<Stored | undefined> {
    const { clock, generations } = this.#options
    try {
      const marked = generations ? [] : [markOf(tenant), markOf()]
      const [found, ...marks] = await Promise.all([`${base}${id}`, ...marked].map((url) => this.#bytes(url)))
      const stored = found && decodeStored(found.bytes)
      if (!stored || found.until <= clock.now()) return undefined
      return marks.some((mark) => mark && mark.until >= stored.at) ? undefined : stored
    } catch {
      return undefined
    }
  }

  put(id: string, answer: Stored, { until }: Keeping): void {
    const seconds = Math.ceil((until - this.#options.clock.now()) / 1000)
    if (seconds <= 0) return
    const work = this.#put(`${base}${id}`, encodeStored(answer), until, seconds)
      .catch(() => {})
      .finally(() => this.#writing.delete(work))
    this.#writing.add(work)
    this.#options.defer(work)
  }

  async drop(tenant?: string): Promise<void> {
    const { generations } = this.#options
    if (generations) return await generations.next(tenant)
    await this.flush()
    await this.#put(markOf(tenant), new Uint8Array(0), this.#options.clock.now(), remembered)
  }

  async flush(): Promise<void> {
    await Promise.all(this.#writing)
  }

  #put(url: string, bytes: Uint8Array, until: number, seconds: number): Promise<void> {
    const headers = { 'cache-control': `max-age=${seconds}`, [untilHeader]: String(until) }
    return this.#options.cache.put(url, new Response(bytes as Uint8Array<ArrayBuffer>, { headers }))
  }

  async #bytes(url: string): Promise<{ readonly bytes: Uint8Array; readonly until: number } | undefined> {
    const found = await this.#options.cache.match(url)
    if (!found) return undefined
    const until = Number(found.headers.get(untilHeader))
    return { bytes: new Uint8Array(await found.arrayBuffer()), until }
  }
}

/** Milliseconds since 1970: until when an answer is of use, or when a mark was made. */
const untilHeader = 'x-samewire-until'

function markOf(tenant?: string): string {
  return tenant === undefined ? `${base}dropped` : `${base}dropped/${encodeURIComponent(tenant)}`
}
