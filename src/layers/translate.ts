import { type Answer, withStep } from '../core/answer.ts'
import type { Call, Layer, Upstream } from '../core/call.ts'
import { isDirect } from '../core/direct.ts'
import type { Operation } from '../core/operation.ts'
import type { Services } from '../core/services.ts'
import type { Translation } from '../core/translation.ts'
import type { RequestBody } from '../wire/body.ts'
import { GatewayError } from '../wire/errors.ts'
import { isObject, tryParse } from '../wire/json.ts'

type Needed = Pick<Services, 'clock' | 'random'>

/** Deployments of which it is remembered what they don't have. Callers may name any model. */
const mostLearnt = 1000

/**
 * Serves an operation that a target doesn't know by another one that it does. All layers inside see only that one, so
 * that whatever they do for a chat they do for what becomes one. A target that is said to know it, and answers that it
 * has no such endpoint, is served so too, from then on at once.
 */
export const translate = (services: Needed): Layer => {
  const learnt = new Set<string>()

  function learn(key: string): void {
    if (learnt.size >= mostLearnt) learnt.clear()
    learnt.add(key)
  }

  async function direct(next: Upstream, call: Call, over: Translation<Operation>, key: string): Promise<Answer> {
    try {
      return await next(over.direct ? directly(call, over.direct) : call)
    } catch (failure) {
      const isUnknown = failure instanceof GatewayError && failure.kind === 'wrong_endpoint'
      if (!isUnknown || !call.target.deployment.provider.operations[over.operation.name]) throw failure
      const answer = await through(next, call, over, services)
      // Otherwise the model may be for something else altogether.
      learn(key)
      return answer
    }
  }

  return (next) =>
    function translating(call) {
      const { over, name } = call.operation
      if (!over) return next(call)
      const { label, provider } = call.target.deployment
      const key = `${name} ${label}`
      return isDirect(call.operation, call.body, provider) && !learnt.has(key)
        ? direct(next, call, over, key)
        : through(next, call, over, services)
    }
}

function directly(call: Call, direct: (body: RequestBody) => RequestBody): Call {
  const { body, routed } = call
  return { ...call, body: direct(body), routed: routed && direct(routed) }
}

async function through(
  next: Upstream,
  call: Call,
  { operation, begin, failure }: Translation<Operation>,
  services: Needed,
): Promise<Answer> {
  const { label, provider } = call.target.deployment
  const context = { ...services, model: label, reads: provider.definition.reasoning ?? [] }
  const { body, dropped, answer, stage } = begin(call.body, context)
  const routed = call.routed && begin(call.routed, context).body
  try {
    operation.check(body)
    const given = await next({ ...call, operation, body, routed, dropped, carried: undefined })
    if (!(given.body instanceof Uint8Array))
      return stage ? withStep(given, { stage: stage(), carried: 'never' }) : given
    const json = tryParse(new TextDecoder().decode(given.body))
    return isObject(json) ? { ...given, body: encoder.encode(JSON.stringify(answer(json))) } : given
  } catch (error) {
    throw error instanceof GatewayError && failure ? failure(error) : error
  }
}

const encoder = new TextEncoder()
