import { type Answer, withStep } from '../core/answer.ts'
import type { Call, Layer, Upstream } from '../core/call.ts'
import type { Readback, Renewal, Renewing } from '../core/renewal.ts'
import type { Emit, Stage } from '../core/stream.ts'
import { GatewayError } from '../wire/errors.ts'
import { isObject, type JsonObject, tryParse } from '../wire/json.ts'
import { EventReader, frame, type ServerEvent } from '../wire/sse.ts'

/** Deployments of which it is remembered what they refused. Callers may name any model. */
const mostLearnt = 1000

/**
 * Puts a request in terms that the upstream doesn't know into others, and its answer back. Upstreams that know them get
 * the client's own bytes. What only a refusal tells is remembered.
 */
export function renew(): Layer {
  const learnt = new Set<string>()

  function learn(key: string): void {
    if (learnt.size >= mostLearnt) learnt.clear()
    learnt.add(key)
  }

  async function answer(next: Upstream, call: Call, renewal: Renewal): Promise<Answer> {
    const { overrides, label, provider } = call.target.deployment
    const { lacks = [] } = provider.operations[call.operation.name] ?? {}
    const key = `${call.operation.name} ${renewal.feature} ${label}`
    const renewing = await renewal.how.load()
    const isKnown = lacks.includes(renewal.feature) || learnt.has(key) || renewing.isForced(overrides)
    if (!isKnown) {
      try {
        return await next(call)
      } catch (failure) {
        if (!(failure instanceof GatewayError) || !renewing.tells(failure, call.body)) throw failure
      }
    }
    try {
      const given = await next(renewed(call, renewing))
      if (!isKnown) learn(key)
      const readback = renewing.readback(call.body)
      return readback ? readBack(given, readback) : given
    } catch (failure) {
      throw failure instanceof GatewayError ? renewing.failure(failure) : failure
    }
  }

  return (next) =>
    function renewing(call) {
      const { renewals = [] } = call.operation
      const through = (inner: Upstream, renewal: Renewal): Upstream => {
        return (asked) => (renewal.concerns(asked.body) ? answer(inner, asked, renewal) : inner(asked))
      }
      return renewals.reduceRight(through, next)(call)
    }
}

function renewed(call: Call, renewing: Renewing): Call {
  const { body, routed } = call
  return { ...call, body: renewing.renew(body), routed: routed && renewing.renew(routed) }
}

function readBack(given: Answer, readback: Readback): Answer {
  const { body } = given
  if (!(body instanceof Uint8Array)) return withStep(given, { stage: new ReadingBack(readback), carried: 'never' })
  const json = tryParse(new TextDecoder().decode(body))
  return isObject(json) ? { ...given, body: encoder.encode(JSON.stringify(readback.answer(json))) } : given
}

const encoder = new TextEncoder()

class ReadingBack implements Stage {
  readonly #reader = new EventReader()
  readonly #readback: Readback

  constructor(readback: Readback) {
    this.#readback = readback
  }

  chunk(bytes: Uint8Array, emit: Emit): void {
    for (const event of this.#reader.read(bytes)) this.#event(event, emit)
  }

  end(emit: Emit): void {
    for (const event of this.#reader.end()) this.#event(event, emit)
  }

  #event({ data, event }: ServerEvent, emit: Emit): void {
    const chunk = tryParse(data)
    // An error, or the end.
    const isChunk = isObject(chunk) && event === undefined && !chunk.error
    const old: JsonObject | undefined = isChunk ? this.#readback.chunk(chunk) : undefined
    if (!isChunk || old === chunk) emit(worded(data, event))
    else if (old) emit(frame(old))
  }
}

function worded(data: string, event?: string): Uint8Array {
  const lines = data.split('\n').map((line) => `data: ${line}\n`)
  return encoder.encode(`${event === undefined ? '' : `event: ${event}\n`}${lines.join('')}\n`)
}
