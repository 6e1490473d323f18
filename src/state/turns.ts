import type { Clock } from '../core/clock.ts'

/** Milliseconds of work after which others have a turn: a database in the process answers without one. */
const longest = 4

/** For a loop over statements: resolves at once, or after whatever else waits if the loop has been busy for a while. */
export function takingTurns(clock: Clock): () => Promise<void> {
  let began = clock.now()
  return async () => {
    if (clock.now() - began < longest) return
    await new Promise<void>((turn) => clock.after(0, turn))
    began = clock.now()
  }
}
