import { dropsFor } from './connect/lacks.ts'
import type { Learnt } from './connect/remedies.ts'
import type { Call } from './core/call.ts'
import { isDirect } from './core/direct.ts'
import type { OperationSpec } from './core/provider.ts'
import { contextFor } from './core/translation-context.ts'
import type { RequestBody } from './wire/body.ts'
import { GatewayError } from './wire/errors.ts'

type Asking = Pick<Call, 'operation' | 'body' | 'target' | 'optional'>

/** What comes of a request at an upstream that doesn't support all of its fields. */
export interface Foreseen {
  /** The fields that would be left out. */
  readonly dropped: readonly string[]
  /** Why the request would be refused before it is sent. */
  readonly refusal: GatewayError | undefined
}

/**
 * What can be told without asking anybody. What only a provider's translation refuses is not among it. `wayOf`: what was
 * learnt of an operation.
 */
export function foresee(asked: Asking, wayOf: (operation: string) => Learnt): Foreseen {
  try {
    const { dropped, ...asking } = asPut(asked)
    const { operation, target } = asking
    const declared = target.deployment.provider.operations[operation.name]
    if (!declared) return { dropped, refusal: undefined }
    const { remedy, spec } = wayOf(operation.name)
    const body = sentBody(asking, declared)
    return { dropped: [...dropped, ...dropsFor({ ...asking, body }, spec ?? declared, remedy)], refusal: undefined }
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error
    return { dropped: [], refusal: error }
  }
}

/** The request in terms of an operation that the target knows. */
function asPut(asking: Asking): Asking & { readonly dropped: readonly string[] } {
  const { operation, body, target } = asking
  const { provider } = target.deployment
  const { over } = operation
  if (!over || isDirect(operation, body, provider)) return { ...asking, dropped: [] }
  const put = over.begin(body, contextFor(target, still))
  return { target, operation: over.operation, body: put.body, dropped: put.dropped, optional: put.optional }
}

/** No answer is made, so no id and no time is needed. */
const still = { random: () => 0, clock: { now: () => 0, after: () => () => {} } }

/** The body of the first exchange, after the layers have said in another way what the upstream lacks. */
function sentBody({ operation, body, target }: Asking, spec: OperationSpec): RequestBody {
  const { renewals = [], sharing } = operation
  const { lacks = [], atOnce } = spec
  const { overrides } = target.deployment
  const renewed = renewals.reduce((asked, { concerns, feature, isForced, renew }) => {
    return concerns(asked) && (lacks.includes(feature) || isForced(overrides)) ? renew(asked) : asked
  }, body)
  const isShared = atOnce !== undefined && sharing?.concerns?.(renewed) !== false
  const [part = renewed] = (isShared && sharing?.split(renewed, atOnce)) || []
  const structured = operation.structure?.(part, lacks)?.body ?? part
  return spec.rephrase?.(structured) ?? structured
}
