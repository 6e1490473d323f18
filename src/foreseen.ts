import { dropsFor } from './connect/lacks.ts'
import type { Learnt } from './connect/remedies.ts'
import type { Call } from './core/call.ts'
import { isDirect } from './core/direct.ts'
import type { Feature } from './core/features.ts'
import type { OperationSpec } from './core/provider.ts'
import { contextFor } from './core/translation-context.ts'
import { asksForStructure } from './layers/concerns.ts'
import { withOwnChoices } from './layers/own-choices.ts'
import type { RequestBody } from './wire/body.ts'
import { GatewayError } from './wire/errors.ts'

type Asking = Pick<Call, 'operation' | 'body' | 'target' | 'optional' | 'translated'>

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
export async function foresee(asked: Asking, wayOf: (operation: string) => Learnt): Promise<Foreseen> {
  try {
    const { dropped, ...put } = asPut(asked)
    const asking = withOwnChoices(put)
    const { operation, target } = asking
    const declared = target.deployment.provider.operations[operation.name]
    if (!declared) return { dropped, refusal: undefined }
    const { remedy, spec } = wayOf(operation.name)
    const body = await sentBody(asking, declared)
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
  const { body: inner, dropped, optional } = over.begin(body, contextFor(target, still))
  return { target, operation: over.operation, body: inner, dropped, optional, translated: true }
}

/** No answer is made, so no id and no time is needed. */
const still = { random: () => 0, clock: { now: () => 0, after: () => () => {} } }

/** The body of the first exchange, after the layers have said in another way what the upstream lacks. */
async function sentBody({ operation, body, target }: Asking, spec: OperationSpec): Promise<RequestBody> {
  const { lacks = [] } = spec
  const renewed = await renewedBody({ operation, body, target }, lacks)
  const part = await firstPart({ operation, body: renewed }, spec)
  const structureFor = asksForStructure(operation, part, lacks) ? await operation.structure?.load() : undefined
  const structured = structureFor?.(part, lacks)?.body ?? part
  return spec.rephrase?.(structured) ?? structured
}

async function renewedBody({ operation, body, target }: Asking, lacks: readonly Feature[]): Promise<RequestBody> {
  let asked = body
  for (const { concerns, feature, how } of operation.renewals ?? []) {
    if (!concerns(asked)) continue
    const { isForced, renew } = await how.load()
    if (lacks.includes(feature) || isForced(target.deployment.overrides)) asked = renew(asked)
  }
  return asked
}

async function firstPart({ operation, body }: Pick<Asking, 'operation' | 'body'>, { atOnce }: OperationSpec) {
  const { sharing } = operation
  if (!atOnce || !sharing || sharing.concerns?.(body.outline) === false) return body
  const { split } = await sharing.how.load()
  return split(body, atOnce)?.[0] ?? body
}
