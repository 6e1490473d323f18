import { type Answer, withStep } from '../core/answer.ts'
import type { Call, Layer, Upstream } from '../core/call.ts'
import type { Operation } from '../core/operation.ts'
import type { Services } from '../core/services.ts'
import type { Translation } from '../core/translation.ts'
import { GatewayError } from '../wire/errors.ts'
import { isObject, tryParse } from '../wire/json.ts'

type Needed = Pick<Services, 'clock' | 'random'>

/**
 * Serves an operation that a target doesn't know by another one that it does. All layers inside see only that one, so
 * that whatever they do for a chat they do for what becomes one.
 */
export const translate =
  (services: Needed): Layer =>
  (next) =>
    function translating(call) {
      const { over, name } = call.operation
      return !over || call.target.deployment.provider.operations[name]
        ? next(call)
        : through(next, call, over, services)
    }

async function through(
  next: Upstream,
  call: Call,
  { operation, begin, failure }: Translation<Operation>,
  services: Needed,
): Promise<Answer> {
  const context = { ...services, model: call.target.deployment.label }
  const { body, dropped, answer, stage } = begin(call.body, context)
  const routed = call.routed && begin(call.routed, context).body
  try {
    operation.check(body)
    const given = await next({ ...call, operation, body, routed, dropped })
    if (!(given.body instanceof Uint8Array)) return withStep(given, { stage: stage(), carried: 'never' })
    const json = tryParse(new TextDecoder().decode(given.body))
    return isObject(json) ? { ...given, body: encoder.encode(JSON.stringify(answer(json))) } : given
  } catch (error) {
    throw error instanceof GatewayError && failure ? failure(error) : error
  }
}

const encoder = new TextEncoder()
