import type { Call, Layer, Upstream } from '../core/call.ts'
import { once } from '../core/late.ts'

/** A layer that is loaded by the first call that it concerns. All others pass it by. */
export function lateLayer(concerns: (call: Call) => boolean, load: () => Promise<Layer>): Layer {
  return (next) => {
    let around: Upstream | undefined
    const loaded = once(async () => {
      around = (await load())(next)
      return around
    })
    return function loading(call) {
      if (!concerns(call)) return next(call)
      return around ? around(call) : loaded().then((upstream) => upstream(call))
    }
  }
}
