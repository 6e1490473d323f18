import type { Layer } from '../core/call.ts'
import { type Clock, sleep } from '../core/clock.ts'
import { asGatewayError, reactions } from '../wire/errors.ts'

/** Milliseconds: the first wait, the longest, and the longest wait that an upstream may ask for. */
const base = 250
const longest = 4_000
const patience = 10_000

/** Retries on the same deployment, after a growing and jittered wait, if the failure may be temporary. */
export const retry =
  ({ clock, random }: { clock: Clock; random: () => number }): Layer =>
  (next) =>
    async function retryOf(call) {
      for (let tries = 0; ; tries++) {
        try {
          return await next(call)
        } catch (thrown) {
          const failure = asGatewayError(thrown)
          const asked = failure.retryAfterMs ?? 0
          if (!reactions[failure.kind].again || tries >= call.target.limits.retries || asked > patience) throw failure
          const wait = Math.min(base * 2 ** tries, longest) * (0.75 + random() / 2)
          await sleep(clock, Math.max(wait, asked), call.signal)
        }
      }
    }
