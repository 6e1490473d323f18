import { type Answer, withStep } from '../core/answer.ts'
import type { Call, Layer, Upstream } from '../core/call.ts'
import type { Feature } from '../core/features.ts'
import type { Readback, Renewal } from '../core/renewal.ts'
import type { Emit, Stage } from '../core/stream.ts'
import { GatewayError } from '../wire/errors.ts'
import { isObject, type JsonObject, tryParse } from '../wire/json.ts'
import { EventReader, frame, type ServerEvent } from '../wire/sse.ts'

/** Deployments of which it is remembered what they refused. Callers may name any model. */
const mostLearnt = 1000

/**
 * Puts a request in terms that OpenAI has replaced into those that the upstream knows, and its answer back. Upstreams
 * that know the old ones get the client's own bytes. What only a refusal tells is remembered.
 */
export function renew(): Layer {
  const learnt = new Map<string, ReadonlySet<Feature>>()

  function learn(key: string, lacks: ReadonlySet<Feature>): void {
    if (learnt.size >= mostLearnt) learnt.clear()
    learnt.set(key, lacks)
  }

  async function answer(next: Upstream, call: Call, renewal: Renewal): Promise<Answer> {
    const { deployment } = call.target
    const key = `${call.operation.name} ${deployment.label}`
    const declared = deployment.provider.operations[call.operation.name]?.lacks ?? []
    const known: ReadonlySet<Feature> = new Set([...declared, ...(learnt.get(key) ?? [])])
    for (let lacks = known; ; ) {
      const isRenewed = lacks.has(renewal.feature) || renewal.isForced(deployment.overrides)
      try {
        const given = await next(isRenewed ? renewed(call, renewal, lacks) : call)
        if (lacks !== known) learn(key, lacks)
        const readback = isRenewed ? renewal.readback(call.body) : undefined
        return readback ? readBack(given, readback) : given
      } catch (failure) {
        if (!(failure instanceof GatewayError)) throw failure
        const told = renewal.told(failure, call.body)
        if (told === undefined || lacks.has(told)) throw isRenewed ? renewal.failure(failure) : failure
        lacks = new Set([...lacks, told])
      }
    }
  }

  return (next) =>
    function renewing(call) {
      const { renewal } = call.operation
      return renewal?.concerns(call.body) ? answer(next, call, renewal) : next(call)
    }
}

function renewed(call: Call, renewal: Renewal, lacks: ReadonlySet<Feature>): Call {
  const { body, routed } = call
  return { ...call, body: renewal.renew(body, lacks), routed: routed && renewal.renew(routed, lacks) }
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
