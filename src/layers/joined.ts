import { type Answer, closeSteps, discard, isStream, type StreamBody } from '../core/answer.ts'
import type { Call, Upstream } from '../core/call.ts'
import type { Clock } from '../core/clock.ts'
import type { StreamJoiner } from '../core/operation.ts'
import { Pump } from '../core/pump.ts'
import { settleTime } from '../core/stages.ts'
import type { Silence } from '../core/stream.ts'
import { done, EventReader, type ServerEvent, truncated } from '../wire/sse.ts'
import { Exchanges, type Part, stopped } from './exchanges.ts'
import { readThrough, silenceOf } from './read-through.ts'

/**
 * One stream from those that answer the parts of a request. It begins when the first parts have content; each of the
 * others begins when one has ended. A part that fails before that is the failure of all; later it breaks the stream.
 */
export async function joinedStream(
  next: Upstream,
  call: Call,
  parts: readonly Part[],
  { joiner, clock }: { readonly joiner: StreamJoiner; readonly clock: Clock },
): Promise<Answer> {
  const exchanges = new Exchanges(next, call, parts, clock)
  const opening = Array.from({ length: exchanges.first }, (_, at) => exchanges.open(at))
  try {
    const answers = await Promise.all(opening)
    exchanges.note()
    return { ...(answers[0] as Answer), body: new Joining(answers, { call, exchanges, joiner, clock }).body }
  } catch (failure) {
    exchanges.over()
    exchanges.stop(stopped())
    for (const one of await Promise.allSettled(opening)) if (one.status === 'fulfilled') discard(one.value)
    exchanges.note()
    throw failure
  }
}

interface Means {
  readonly call: Call
  readonly exchanges: Exchanges
  readonly joiner: StreamJoiner
  readonly clock: Clock
}

/** The parts of a stream that are being read. */
class Joining {
  readonly body: StreamBody
  readonly #means: Means
  readonly #active = new Set<StreamBody>()
  readonly #pump: Pump
  /** Parts that have begun, and that have ended. */
  #begun: number
  #ended = 0
  #paused = false
  #over = false

  /** `first`: the answers that have begun. */
  constructor(first: readonly Answer[], means: Means) {
    this.#means = means
    this.#begun = first.length
    for (const { body } of first) if (isStream(body)) this.#active.add(body)
    this.#pump = new Pump({
      start: () => {
        for (const [at, answer] of first.entries()) this.#follow(answer, at)
      },
      pause: () => this.#hold(true),
      resume: () => this.#hold(false),
      cancel: (reason) => this.#stop(reason),
    })
    const silence = silenceOf(this.#active.values().next().value)
    this.body = {
      source: this.#pump,
      steps: [{ carried: 'never', ...(silence && { silence: this.#silence(silence) }) }],
    }
  }

  /** The stream is silent when all of its parts are. */
  #silence(like: Silence): Silence {
    const each = () => [...this.#active].flatMap((body) => body.steps.flatMap(({ silence }) => silence ?? []))
    return {
      ...like,
      heard: () => this.#active.size === 0 || each().filter((silence) => silence.heard()).length > 0,
      onSilence: () => {
        for (const silence of each()) silence.onSilence()
        return undefined
      },
    }
  }

  #follow({ body }: Answer, at: number): void {
    if (!isStream(body)) {
      this.#break(truncated())
      return
    }
    this.#active.add(body)
    const events = new EventReader()
    const { call, exchanges, joiner, clock } = this.#means
    const reader = call.operation.reader?.(exchanges.parts[0]?.body.outline ?? {})
    const take = (list: readonly ServerEvent[]) => {
      for (const event of list) {
        const sight = reader?.see(event)
        if (!this.#active.has(body)) return
        // What it reports goes on as it is: the check outside words it, and ends the stream.
        const bytes = typeof sight === 'object' ? rawOf(event) : joiner.event(event, at)
        if (bytes) this.#pump.push(bytes)
        if (sight === 'end') this.#leave(body, () => settle())
      }
    }
    const settle = () => void clock.after(settleTime, () => body.source.cancel('It has said everything.'))
    const end = () => {
      if (!this.#active.has(body)) return
      take(events.end())
      if (!this.#active.has(body)) return
      if (reader?.complete === false) this.#break(truncated())
      else this.#leave(body)
    }
    readThrough(body, { chunk: (bytes) => take(events.read(bytes)), end, fail: (error) => this.#break(error) })
    if (this.#paused) body.source.pause()
  }

  /** A part is complete: the next one begins, or the stream is over. */
  #leave(body: StreamBody, settle?: () => void): void {
    this.#active.delete(body)
    closeSteps(body.steps)
    settle?.()
    this.#ended++
    const { exchanges, joiner } = this.#means
    const all = exchanges.parts.length
    if (this.#ended === all) {
      this.#over = true
      exchanges.over()
      for (const bytes of [...joiner.end(), done]) this.#pump.push(bytes)
      this.#pump.finish()
    } else if (this.#begun < all) {
      const at = this.#begun++
      exchanges.open(at).then(
        (answer) => (this.#over ? discard(answer) : this.#follow(answer, at)),
        (failure) => this.#break(failure),
      )
    }
  }

  #hold(paused: boolean): void {
    this.#paused = paused
    for (const { source } of this.#active) {
      if (paused) source.pause()
      else source.resume()
    }
  }

  #break(error: unknown): void {
    if (this.#over) return
    this.#stop(stopped())
    this.#pump.break(error)
  }

  #stop(reason: unknown): void {
    if (this.#over) return
    this.#over = true
    const active = [...this.#active]
    this.#active.clear()
    for (const { source, steps } of active) {
      source.cancel(reason)
      closeSteps(steps)
    }
    this.#means.exchanges.stop(reason)
    this.#means.exchanges.over()
  }
}

const encoder = new TextEncoder()

function rawOf({ data, event }: ServerEvent): Uint8Array {
  return encoder.encode(`${event ? `event: ${event}\n` : ''}data: ${data.replace(/[\r\n]+/g, ' ')}\n\n`)
}
