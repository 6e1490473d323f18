import type { Call } from '../core/call.ts'
import { edited, type RequestBody } from '../wire/body.ts'

type Asking = Pick<Call, 'operation' | 'body' | 'routed' | 'target' | 'translated'>

/**
 * The same request with the number of answers that the configuration asks for as if its client did: so they are shared
 * out, and no part asks for all of them again. What stands for a request of another operation asks for as many as that has
 * room for, whatever the configuration says.
 */
export function withOwnChoices<Given extends Asking>(asking: Given): Given {
  const { operation, body, routed, target, translated } = asking
  const { defaults, overrides } = target.deployment
  const isSet = 'n' in defaults || 'n' in overrides
  if (!isSet || operation.sharing?.param !== 'n' || body.kind !== 'json') return asking
  const { n: usual, ...others } = defaults
  const { n: forced, ...fixed } = overrides
  const own = body.outline.n
  const configured = 'n' in overrides ? forced : own === undefined ? usual : own
  const wanted = translated ? own : configured
  const asks = (one: RequestBody) =>
    wanted === own ? one : edited(one, { set: new Map([['n', JSON.stringify(wanted)]]) })
  return {
    ...asking,
    body: asks(body),
    routed: routed && asks(routed),
    target: { ...target, deployment: { ...target.deployment, defaults: others, overrides: fixed } },
  }
}
