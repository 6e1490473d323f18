import { setTimeout as wait } from 'node:timers/promises'
import { median } from '../../bench/statistics.ts'
import type { Look } from './probe.ts'
import type { FaultyUpstream } from './upstream.ts'
import type { Watched } from './watched.ts'

/** What a gateway has when nobody asks anything. */
export interface Rest {
  readonly sockets: number
  /** Answers of the upstream that the gateway neither read to their end nor stopped. */
  readonly open: number
  readonly look: Look | undefined
}

/** Waits a second after the last answer, and looks at what is left. */
export async function restOf(upstream: FaultyUpstream, process: Watched): Promise<Rest> {
  // Kept connections to an upstream are no leftovers, as long as they end when the upstream ends them.
  upstream.closeIdle()
  await wait(1_000)
  return { open: upstream.open, look: await process.look(), sockets: process.sockets() }
}

export interface Leftovers {
  readonly sockets: number
  readonly open: number
  /** Objects more than before, by class; empty if the process can't be looked into. */
  readonly alive: Readonly<Record<string, number>>
  readonly listeners: number
  /** Exceptions that nobody caught, and warnings of Node such as that of too many listeners. */
  readonly uncaught: readonly string[]
}

/** What is there now and was not before. */
export function leftovers(before: Rest, after: Rest, { complaints, died }: Watched): Leftovers {
  const alive = Object.entries(after.look?.alive ?? {}).map(
    ([name, count]) => [name, Math.max(0, count - (before.look?.alive[name] ?? 0))] as const,
  )
  return {
    sockets: Math.max(0, after.sockets - before.sockets),
    open: after.open,
    alive: Object.fromEntries(alive),
    listeners: Math.max(0, (after.look?.listeners ?? 0) - (before.look?.listeners ?? 0)),
    uncaught: [
      ...complaints,
      ...(after.look?.uncaught ?? []),
      ...(after.look?.warnings ?? []),
      ...(died ? ['the process ended'] : []),
    ],
  }
}

/** Resident memory along a campaign. */
export class Memory {
  readonly #samples: { share: number; size: number }[] = []
  readonly #process: Watched
  #next = 0

  constructor(process: Watched) {
    this.#process = process
  }

  /** Call after each request with the share that is done. */
  readonly sample = (share: number): void => {
    if (share < this.#next) return
    this.#next = share + 1 / 400
    this.#samples.push({ share, size: this.#process.memory() })
  }

  /** In MB, after the warm-up and at the end: medians, since memory varies between garbage collections. */
  get figures(): { readonly warm: number; readonly end: number } {
    const within = (from: number, to: number) =>
      median(this.#samples.filter(({ share }) => share > from && share <= to).map(({ size }) => size))
    return { warm: within(0.2, 0.3), end: within(0.9, 1) }
  }
}
