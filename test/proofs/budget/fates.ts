import { stat } from 'node:fs/promises'
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
}

/** Has one after another happen, in equal parts of the budget. */
export async function meetFates({ fates, settings, log, isOver }: Course, happen: (fate: Fate) => Promise<void>) {
  for (const [index, fate] of fates.entries()) {
    const amount = (settings.limit * (index + 1)) / (fates.length + 2)
    // About: a line has five bytes, and says a quarter of the most.
    const bytes = (amount / (settings.most / 4)) * 5
    while ((await stat(log).catch(() => ({ size: 0 }))).size < bytes) {
      if (isOver()) throw new Error(`the budget was used up before there was a ${fate}: so few requests prove nothing`)
      await pause(5)
    }
    await happen(fate)
  }
}

export const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))
