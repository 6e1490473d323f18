import { statSync } from 'node:fs'
import type { BudgetSettings } from './meters.ts'

/** What becomes of a process. `stop`: until others take it for dead, and then on. */
export type Fate = 'kill' | 'stop'

interface Course {
  readonly fates: readonly Fate[]
  readonly settings: BudgetSettings
  /** Where each line says what was billed. */
  readonly log: string
  /** Whether nobody spends any more. */
  readonly isOver: () => boolean
  /** Has nobody bill more until there is another word: bytes of the log, about. */
  readonly allow: (bytes: number) => void
  readonly signal?: AbortSignal | undefined
}

/**
 * Has one after another happen, in equal parts of the budget, while it is spent. However quick those are who spend it,
 * they wait for what is to happen, half of a part later.
 */
export async function meetFates(course: Course, happen: (fate: Fate) => Promise<void>): Promise<void> {
  const { fates, settings, log, isOver, allow, signal } = course
  // About: a line has five bytes, and says a quarter of the most.
  const part = (settings.limit / (fates.length + 2) / (settings.most / 4)) * 5
  for (const [index, fate] of fates.entries()) {
    allow(part * (index + 1.5))
    while (bytesOf(log) < part * (index + 1)) {
      signal?.throwIfAborted()
      if (isOver()) throw new Error(`the budget was used up before there was a ${fate}: so few requests prove nothing`)
      await pause(5)
    }
    await happen(fate)
  }
  allow(Number.MAX_SAFE_INTEGER)
}

/** Where those wait who may not bill yet. Closed at first. */
export class Gate {
  readonly #log: string
  #allowed = 0
  #told = Promise.withResolvers<void>()

  constructor(log: string) {
    this.#log = log
  }

  allow(bytes: number): void {
    this.#allowed = bytes
    this.#told.resolve()
    this.#told = Promise.withResolvers()
  }

  async pass(): Promise<void> {
    while (bytesOf(this.#log) >= this.#allowed) await this.#told.promise
  }
}

function bytesOf(log: string): number {
  return statSync(log, { throwIfNoEntry: false })?.size ?? 0
}

export const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))
