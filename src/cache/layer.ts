import { type Answer, isStream, withStep } from '../core/answer.ts'
import type { Call, Layer, Upstream } from '../core/call.ts'
import type { Services } from '../core/services.ts'
import type { Trace } from '../core/trace.ts'
import { Block } from '../wire/block.ts'
import { asGatewayError, describeCause, GatewayError } from '../wire/errors.ts'
import { headerValue } from '../wire/headers.ts'
import type { Store, Stored } from './answers.ts'
import { type Control, readControl } from './control.ts'
import { type Ended, Flight } from './flight.ts'
import type { Flights, Flying } from './flying.ts'
import { type Place, type Placing, placeOf } from './place.ts'
import { formOf, replayed, serves } from './replay.ts'
import { toldIn } from './worth.ts'

export type CacheOptions = Placing & Store & Pick<Services, 'clock' | 'random' | 'log'>

export interface Cache {
  readonly layer: Layer
  /** Drops the answers of a tenant, or all, and keeps none that are under way. */
  drop(tenant?: string): Promise<void>
}

/** A request on its way to an answer, and where it is looked for. */
interface Asking {
  readonly call: Call
  readonly next: Upstream
  readonly place: Place
  readonly control: Control
  /** Of the answers that are right for it, the one of the requested model first. */
  readonly ids: readonly string[]
}

/**
 * Answers a request with what the same one was answered before, byte for byte; those that come while it is being answered
 * get that answer too. Only complete answers are kept.
 */
export function createCache(options: CacheOptions): Cache {
  const { answers, flies, clock, log } = options
  const own: Flights = new Map()

  async function cached(call: Call, next: Upstream): Promise<Answer> {
    const place = await placeOf(call, options)
    if (!place) return await next(call)
    const ids = place === 'bypass' ? [] : await idsOf(call, place)
    if (place === 'bypass' || ids.length === 0) {
      call.trace.cache = 'bypass'
      return await next(call)
    }
    const asking = { call, next, place, ids, control: readControl(call.cache?.control) }
    const stored = await find(asking)
    if (stored) return await hit(stored, call)
    const flights = call.cache?.flights ?? (flies ? own : undefined)
    return flights ? await fly(asking, flights) : await alone(asking)
  }

  async function find({ call, place, control, ids }: Asking): Promise<Stored | undefined> {
    if (control.noCache) return undefined
    const form = formOf(call)
    for (const id of ids) {
      const got = answers.get(id, place.tenant)
      const stored = got instanceof Promise ? await got : got
      if (!stored || clock.now() - stored.at > control.maxAge || !serves(stored, form, call.operation)) continue
      // Not why the model itself isn't asked: it has answered.
      if (id === place.requested) call.trace.reason = undefined
      return stored
    }
    return undefined
  }

  async function hit(stored: Stored, call: Call): Promise<Answer> {
    await call.trace.admission?.count()
    took(call.trace, 'hit')
    call.trace.givenBy = stored.served
    call.trace.usage = stored.usage
    if (stored.dropped) call.trace.dropped = stored.dropped
    return replayed(stored, call, options)
  }

  /**
   * Only who asks a model reserves anything. `isSecond`: the one that it joined has failed, and now it goes its own way, or
   * with others of whom that is true.
   */
  async function fly(asking: Asking, flights: Flights, isSecond = false): Promise<Answer> {
    const { call, ids, control } = asking
    const { admission } = call.trace
    const counting = admission?.count()
    if (counting) await counting
    const { streams, usage } = formOf(call)
    const id = `${ids[0]} ${streams} ${usage}`
    const there = control.noCache ? undefined : flights.get(id)
    if (!there) return await lead(asking, flights, id)
    took(call.trace, 'shared')
    try {
      return follow(await there.flight.join(call.signal), there.trace, call.trace)
    } catch (error) {
      if (isSecond || call.signal.aborted) throw error
      const isRefused = there.trace.admission?.isRefused === true
      // That says nothing of others. Each has to have enough of its own now, or all would be refused in turn.
      if (isRefused) await admission?.reserve()
      return await fly(asking, flights, !isRefused)
    }
  }

  function lead({ call, next, place }: Asking, flights: Flights, id: string): Promise<Answer> {
    const { trace } = call
    trace.cache = 'miss'
    const mine: Flying = {
      trace,
      tenant: place.tenant,
      isKept: true,
      flight: new Flight({
        clock,
        bound: place.limits.maxEntryBytes,
        ask: (signal) => next({ ...call, signal }),
        over(ended) {
          if (flights.get(id) === mine) flights.delete(id)
          if (ended && mine.isKept) keep(place, call, ended)
        },
      }),
    }
    flights.set(id, mine)
    trace.landing = () => mine.flight.landing
    return mine.flight.join(call.signal)
  }

  /** Keeps the answer, and shares it with nobody while it is under way. */
  async function alone({ call, next, place }: Asking): Promise<Answer> {
    call.trace.cache = 'miss'
    const answer = await next(call)
    const { body } = answer
    if (body instanceof Uint8Array) {
      if (body.length <= place.limits.maxEntryBytes) keep(place, call, { head: answer, streams: false, whole: body })
      return answer
    }
    if (!isStream(body)) return answer
    const seen = new Block()
    let size = 0
    const see = (bytes: Uint8Array) => {
      size += bytes.length
      if (size <= place.limits.maxEntryBytes) seen.add(bytes)
      else seen.take()
    }
    const over = () => {
      if (size > place.limits.maxEntryBytes) return
      keep(place, call, { head: answer, streams: true, whole: seen.take() })
    }
    return withStep(answer, { watch: { see }, over, carried: 'watch' })
  }

  function keep(place: Place, call: Call, ended: Ended): void {
    kept(place, call, ended).catch((error) => log(describeCause(asGatewayError(error)), 'error'))
  }

  async function kept(place: Place, call: Call, { head, streams, whole: body, reader }: Ended): Promise<void> {
    const { status, headers } = head
    const { trace, plan } = call
    const served = trace.attempts.findLast(({ failure }) => !failure)
    const target = plan.targets.find(({ deployment }) => deployment.label === served?.deployment)
    if (streams !== call.streams || status !== 200 || !served || !target || served.broke || trace.continued) return
    const type = headers['content-type'] ?? ''
    const told = toldIn({ streams, body, type, reader }, call)
    if (!told) return
    const isOwn = target.why === 'requested'
    const id = isOwn ? place.requested : place.limits.cacheFallbacks ? await place.standIn(target) : undefined
    if (id === undefined) return
    const { usage } = told
    const at = clock.now()
    const about = { type, served: served.deployment, at, usage, dropped: trace.dropped }
    const answer = { streams, body, counts: formOf(call).usage, ...about }
    answers.put(id, answer, { tenant: place.tenant, until: at + place.limits.ttl })
  }

  return {
    layer: (next) => (call) => cached(call, next),
    async drop(tenant) {
      for (const one of own.values()) if (tenant === undefined || one.tenant === tenant) one.isKept = false
      await answers.drop(tenant)
    },
  }
}

/** Ids under which an answer may be that is right for a request. */
async function idsOf({ target }: Call, { requested, limits, standIn }: Place): Promise<readonly string[]> {
  const own = requested === undefined ? [] : [requested]
  return limits.cacheFallbacks && target.why !== 'requested' ? [...own, await standIn(target)] : own
}

/** No model is asked: nothing of the request goes to another one either. */
function took(trace: Trace, how: 'hit' | 'shared'): void {
  trace.cache = how
  delete trace.shadow
}

/** The answer to another request, for one that has asked nobody. */
function follow(answer: Answer, leading: Trace, trace: Trace): Answer {
  const { status, body } = answer
  const served = leading.attempts.findLast(({ failure }) => !failure)
  trace.givenBy = served?.deployment ?? leading.givenBy
  if (leading.dropped) trace.dropped = leading.dropped
  trace.reason = leading.reason
  const headers = {
    'content-type': answer.headers['content-type'] ?? '',
    ...(served && { 'x-samewire-model': headerValue(served.deployment) }),
  }
  const followed = { status, headers, body }
  if (body instanceof Uint8Array) {
    trace.usage = leading.usage
    return followed
  }
  const over = () => {
    trace.usage = leading.attempts.findLast(({ reader }) => reader)?.reader?.usage
    if (served?.broke)
      trace.failure ??= new GatewayError('upstream', 'The answer that it shared with others broke off.')
  }
  return withStep(followed, { over, carried: 'never' })
}
