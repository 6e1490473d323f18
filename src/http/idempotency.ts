import type { Store, Stored } from '../cache/answers.ts'
import { type Ended, Flight } from '../cache/flight.ts'
import type { Flights, Flying } from '../cache/flying.ts'
import type { Answer } from '../core/answer.ts'
import type { Clock } from '../core/clock.ts'
import type { Signal } from '../core/signal.ts'
import { sourceOf } from '../core/sources.ts'
import type { Trace } from '../core/trace.ts'
import { concat } from '../wire/block.ts'
import { GatewayError, shorten } from '../wire/errors.ts'
import { headerValue } from '../wire/headers.ts'

/** Milliseconds for which the answer to a request is kept that may be sent again. */
const window = 10 * 60_000
/** Bytes of an answer that is kept. */
const bound = 1024 * 1024
/** Milliseconds for which a request goes on whose client has left: most come back sooner, with the same request. */
const linger = 10_000
/** Characters of a key. */
const longestKey = 255

/** A request that its client may send again. */
export interface Repeatable {
  /** What the client calls it. */
  readonly key: string
  readonly tenant: string
  /** The caller's own token, for providers that take it. */
  readonly bearer: string | undefined
  /** What it is: all that is the same when it is sent again. */
  readonly parts: readonly (string | undefined)[]
  readonly bytes: Uint8Array
  readonly client: Signal
  readonly trace: Trace
  /** What it may join. Absent: what there is, if anything may be joined. */
  readonly flights?: Flights | undefined
  /** Sends it to a model. */
  readonly ask: (signal: Signal) => Promise<Answer>
  /** Gets the answer instead if it is that to another request. */
  readonly taken: (answer: Answer) => Answer
}

/** Answers a request that is sent again under the same key as it was answered before, and sends it to a model once. */
export type Once = (asked: Repeatable) => Promise<Answer>

/**
 * Rejects with a 400 if the key was used for another request: for a 409, which others send, old clients ask again
 * without end. A failure isn't kept: the next try is one.
 */
export function createOnce(clock: Clock, { answers, digest, flies }: Store): Once {
  const own: Flights = new Map()

  async function answerTo(
    asked: Repeatable,
    named: { id: string; request: string },
    isSecond = false,
  ): Promise<Answer> {
    const { id, request } = named
    const { key, tenant, client, flights = own } = asked
    const stored = flights.has(id) ? undefined : await answers.get(id, tenant)
    const there = flights.get(id)
    const known = stored?.request ?? there?.request
    if (known !== undefined && known !== request) throw reused(key)
    if (stored) return asked.taken(replayed(stored))
    if (!there) return await lead(asked, named)
    // Another request may not touch what belongs to this one, not even to wait for it.
    if (!flies && flights === own) return await asked.ask(client)
    try {
      return asked.taken(followed(await there.flight.join(client), there.trace))
    } catch (error) {
      if (isSecond || client.aborted) throw error
      return await answerTo(asked, named, true)
    }
  }

  function lead(asked: Repeatable, { id, request }: { id: string; request: string }): Promise<Answer> {
    const { trace, tenant, client, flights = own } = asked
    const mine: Flying = {
      ...{ request, trace, tenant, isKept: true },
      flight: new Flight({
        ...{ clock, bound, linger, ask: asked.ask },
        over(ended) {
          if (flights.get(id) === mine) flights.delete(id)
          if (!ended || trace.failure || trace.attempts.at(-1)?.broke) return
          const at = clock.now()
          answers.put(id, { ...storedFrom(ended, trace), request, at }, { tenant, until: at + window })
        },
      }),
    }
    flights.set(id, mine)
    trace.landing = () => mine.flight.landing
    return mine.flight.join(client)
  }

  return async function once(asked) {
    const { key, tenant, bearer = null, parts, bytes } = asked
    if (key.length > longestKey) throw tooLong()
    const generation = await answers.generationOf?.(tenant)
    const id = `once:${await digest(encoder.encode(JSON.stringify([tenant, bearer, key, generation])))}`
    const request = await digest(concat([encoder.encode(JSON.stringify(parts)), bytes]))
    return await answerTo(asked, { id, request })
  }
}

const encoder = new TextEncoder()

function storedFrom({ head, streams, whole: body }: Ended, { attempts, dropped }: Trace): Omit<Stored, 'at'> {
  const type = head.headers['content-type'] ?? ''
  const served = attempts.findLast(({ failure }) => !failure)?.deployment ?? head.headers['x-samewire-model'] ?? ''
  return { streams, body, type, served, dropped }
}

function replayed({ body, type, served, streams }: Stored): Answer {
  const headers = { 'content-type': type, ...marks(served) }
  return { status: 200, headers, body: streams ? { source: sourceOf([body]), steps: [] } : body }
}

function followed({ status, headers, body }: Answer, { attempts }: Trace): Answer {
  const served = attempts.findLast(({ failure }) => !failure)?.deployment ?? ''
  return { status, headers: { 'content-type': headers['content-type'] ?? '', ...marks(served) }, body }
}

function marks(served: string): Record<string, string> {
  return { ...(served !== '' && { 'x-samewire-model': headerValue(served) }), 'idempotent-replayed': 'true' }
}

function reused(key: string): GatewayError {
  const message = `The Idempotency-Key "${headerValue(shorten(key))}" was sent with another request. Use it for the same one only, and a new key for this one.`
  return new GatewayError('bad_request', message, { code: 'idempotency_key_reused' })
}

function tooLong(): GatewayError {
  const message = `The Idempotency-Key is longer than ${longestKey} characters.`
  return new GatewayError('bad_request', message, { code: 'idempotency_key_too_long' })
}
