import { type Answer, closeSteps, discard, isStream, type StreamBody } from '../core/answer.ts'
import type { Call, Upstream } from '../core/call.ts'
import type { Clock } from '../core/clock.ts'
import type { StreamJoiner } from '../core/operation.ts'
import { Pump } from '../core/pump.ts'
import { Abort } from '../core/signal.ts'
import type { Silence } from '../core/stream.ts'
import type { JsonObject } from '../wire/json.ts'
import { done, EventReader, type ServerEvent, truncated } from '../wire/sse.ts'
import { readThrough } from './read-through.ts'
import { concurrent, longest, note, type Part, stopped, tracesOf } from './together.ts'

/** Milliseconds in which a source that has said everything may end, which keeps its connection. */
const patience = 1_000

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
  const started = clock.now()
  const abort = new Abort()
  const leave = () => abort.abort(call.signal.reason)
  if (call.signal.aborted) leave()
  call.signal.addEventListener('abort', leave)
  const traces = tracesOf(call, parts.length)
  const open = (at: number) => next({ ...call, ...parts[at], trace: traces[at] ?? call.trace, signal: abort } as Call)
  const opening = Array.from({ length: Math.min(concurrent, parts.length) }, (_, at) => open(at))
  try {
    const answers = await Promise.all(opening)
    note(call, longest(traces), { parts: parts.length, ms: Math.round(clock.now() - started) })
    const over = () => call.signal.removeEventListener('abort', leave)
    const joining = new Joining(call, {
      joiner,
      clock,
      abort,
      over,
      open,
      asked: parts[0]?.body.outline ?? {},
      all: parts.length,
    })
    return { ...(answers[0] as Answer), body: joining.body(answers) }
  } catch (failure) {
    call.signal.removeEventListener('abort', leave)
    abort.abort(stopped())
    const settled = await Promise.allSettled(opening)
    const failed = settled.findIndex((one) => one.status === 'rejected' && one.reason === failure)
    for (const one of settled) if (one.status === 'fulfilled') discard(one.value)
    note(call, traces[failed] ?? longest(traces), { parts: parts.length, ms: Math.round(clock.now() - started) })
    throw failure
  }
}

interface Needed {
  readonly joiner: StreamJoiner
  readonly clock: Clock
  readonly abort: Abort
  readonly over: () => void
  /** The fields of a part. */
  readonly asked: JsonObject
  readonly open: (at: number) => Promise<Answer>
  /** How many parts there are. */
  readonly all: number
}

/** The parts of a stream that are being read. */
class Joining {
  readonly #call: Call
  readonly #needed: Needed
  readonly #active = new Set<StreamBody>()
  readonly #pump: Pump
  /** The first answers, until somebody reads. */
  #first: readonly Answer[] = []
  /** Parts that have begun, and that have ended. */
  #begun = 0
  #ended = 0
  #paused = false
  #over = false

  constructor(call: Call, needed: Needed) {
    this.#call = call
    this.#needed = needed
    this.#pump = new Pump({
      start: () => {
        for (const [at, answer] of this.#first.entries()) this.#follow(answer, at)
      },
      pause: () => this.#hold(true),
      resume: () => this.#hold(false),
      cancel: (reason) => this.#stop(reason),
    })
  }

  body(first: readonly Answer[]): StreamBody {
    this.#first = first
    this.#begun = first.length
    for (const { body } of first) if (isStream(body)) this.#active.add(body)
    const silence = silenceOf(first[0])
    return { source: this.#pump, steps: [{ carried: 'never', ...(silence && { silence: this.#silence(silence) }) }] }
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
    const reader = this.#call.operation.reader?.(this.#needed.asked)
    const take = (list: readonly ServerEvent[]) => {
      for (const event of list) {
        const sight = reader?.see(event)
        if (!this.#active.has(body)) return
        // What it reports goes on as it is: the check outside words it, and ends the stream.
        const bytes = typeof sight === 'object' ? rawOf(event) : this.#needed.joiner.event(event, at)
        if (bytes) this.#pump.push(bytes)
        if (sight === 'end') this.#leave(body, () => settle())
      }
    }
    const settle = () => void this.#needed.clock.after(patience, () => body.source.cancel('It has said everything.'))
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
    if (this.#ended === this.#needed.all) {
      this.#over = true
      this.#needed.over()
      for (const bytes of [...this.#needed.joiner.end(), done]) this.#pump.push(bytes)
      this.#pump.finish()
    } else if (this.#begun < this.#needed.all) {
      const at = this.#begun++
      this.#needed.open(at).then(
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
    this.#needed.abort.abort(reason)
    this.#needed.over()
  }
}

const encoder = new TextEncoder()

function rawOf({ data, event }: ServerEvent): Uint8Array {
  return encoder.encode(`${event ? `event: ${event}\n` : ''}data: ${data.replace(/[\r\n]+/g, ' ')}\n\n`)
}

function silenceOf(answer: Answer | undefined): Silence | undefined {
  if (!answer || !isStream(answer.body)) return undefined
  return answer.body.steps.find(({ silence }) => silence)?.silence
}
