import { type Clock, sleep } from '../../core/clock.ts'
import { Abort, type Signal } from '../../core/signal.ts'
import type { Sent } from './send.ts'

/** Milliseconds before the first further try; each next one waits twice as long. */
const firstWait = 1_000
/** Milliseconds. A collector that asks for more gets the next batch instead. */
const longestWait = 300_000

export interface Tries {
  readonly clock: Clock
  readonly random: () => number
  /** How often the same is sent. */
  readonly most: number
  /** Milliseconds that a wait may have. */
  readonly patience?: number
  /** Aborted when there is no more time to wait. */
  readonly hurry?: Signal
}

/** Tries again, as long as that can help, with growing waits. Resolves with the last outcome. */
export async function delivered(send: () => Promise<Sent>, tries: Tries): Promise<Sent> {
  const { clock, random, most, patience = longestWait, hurry = new Abort() } = tries
  for (let tried = 1; ; tried++) {
    const sent = await send()
    if (sent.taken || !sent.again || tried >= most || hurry.aborted) return sent
    // Many processes have lost the same collector: they are not to come back as one.
    const wait = sent.waitMs ?? firstWait * 2 ** (tried - 1) * (0.5 + random())
    if (wait > patience) return sent
    await sleep(clock, wait, hurry).catch(() => {})
  }
}
