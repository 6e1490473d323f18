import { type Answer, withStep } from '../core/answer.ts'
import type { Call, Layer, Upstream } from '../core/call.ts'
import { isDirect } from '../core/direct.ts'
import type { Operation } from '../core/operation.ts'
import type { Services } from '../core/services.ts'
import { type Room, toldRoom } from '../core/told-room.ts'
import type { Translated, Translation, TranslationContext } from '../core/translation.ts'
import { contextFor } from '../core/translation-context.ts'
import type { RequestBody } from '../wire/body.ts'
import { GatewayError } from '../wire/errors.ts'
import { isObject, type JsonObject, tryParse } from '../wire/json.ts'

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
  const rooms = new Map<string, Room>()

  function learn(key: string): void {
    if (learnt.size >= mostLearnt) learnt.clear()
    learnt.add(key)
  }

  /** A request that asks for a longer answer than there is room for is translated again, now that the room is known. */
  async function through(next: Upstream, call: Call, over: Translation<Operation>): Promise<Answer> {
    const { label } = call.target.deployment
    const context = { ...contextFor(call.target, services), ...rooms.get(label), keeps: call.trace.keeps }
    const first = begun(call, over, context)
    try {
      return await asked(next, first, over)
    } catch (error) {
      const room = error instanceof GatewayError ? toldRoom(error) : undefined
      const second = room && begun(call, over, { ...context, ...room })
      if (!second || isSame(first.call.body, second.call.body)) throw error
      if (rooms.size >= mostLearnt) rooms.clear()
      rooms.set(label, { ...rooms.get(label), ...room })
      return await asked(next, second, over)
    }
  }

  async function direct(next: Upstream, call: Call, over: Translation<Operation>, key: string): Promise<Answer> {
    try {
      return await next(over.direct ? directly(call, over.direct) : call)
    } catch (failure) {
      const isUnknown = failure instanceof GatewayError && failure.kind === 'wrong_endpoint'
      if (!isUnknown || !call.target.deployment.provider.operations[over.operation.name]) throw failure
      const answer = await through(next, call, over)
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
        : through(next, call, over)
    }
}

function directly(call: Call, direct: (body: RequestBody) => RequestBody): Call {
  const { body, routed } = call
  return { ...call, body: direct(body), routed: routed && direct(routed) }
}

/** A request in terms of the other operation. */
interface Begun extends Pick<Translated, 'answer' | 'leftOut' | 'stage' | 'unasked'> {
  readonly call: Call
}

function begun(call: Call, { operation, begin }: Translation<Operation>, context: TranslationContext): Begun {
  const { body, dropped, optional, ...rest } = begin(call.body, context)
  const routed = call.routed && begin(call.routed, context).body
  const inner = { ...call, operation, body, routed, dropped, optional, carried: undefined, translated: true }
  return { ...rest, call: inner }
}

async function asked(
  next: Upstream,
  { call, answer, leftOut, stage, unasked }: Begun,
  { operation, failure }: Translation<Operation>,
): Promise<Answer> {
  if (unasked) return { status: 200, headers: { 'content-type': 'application/json' }, body: asBytes(unasked) }
  try {
    operation.check(call.body)
    const given = await next(call)
    if (!(given.body instanceof Uint8Array))
      return stage ? withStep(given, { stage: stage(), carried: 'never' }) : given
    const json = tryParse(new TextDecoder().decode(given.body))
    if (!isObject(json)) return given
    const dropped = leftOut?.(json) ?? []
    if (dropped.length > 0) call.trace.dropped = [...(call.trace.dropped ?? []), ...dropped]
    return { ...given, body: asBytes(answer(json)) }
  } catch (error) {
    throw error instanceof GatewayError && failure ? failure(error) : error
  }
}

function isSame({ bytes: one }: RequestBody, { bytes: other }: RequestBody): boolean {
  return one.length === other.length && one.every((byte, at) => byte === other[at])
}

const encoder = new TextEncoder()

function asBytes(value: JsonObject): Uint8Array {
  return encoder.encode(JSON.stringify(value))
}
