import { type Answer, closeSteps, discard, isStream, type StreamBody } from '../core/answer.ts'
import type { Call } from '../core/call.ts'
import type { Clock } from '../core/clock.ts'
import type { Lacking, StreamJoiner } from '../core/operation.ts'
import { Pump } from '../core/pump.ts'
import { settleTime } from '../core/stages.ts'
import type { Silence } from '../core/stream.ts'
import { bytesOf, EventReader, type ServerEvent, truncated } from '../wire/sse.ts'
import { type Exchanges, stopped } from './exchanges.ts'
import { FirstPart } from './first-part.ts'
import { readThrough, silenceOf } from './read-through.ts'

export interface Means {
  readonly call: Call
  readonly joiner: StreamJoiner
  readonly clock: Clock
}

/** The parts that a stream turned out to lack, and the exchanges for all of them. */
export interface Rest {
  readonly exchanges: Exchanges
  readonly missing: readonly number[]
}

/** The parts of a stream that are being read. */
export class Joining {
  readonly #means: Means
  readonly #active = new Set<StreamBody>()
  readonly #pump: Pump
  #start = () => {}
  #exchanges: Exchanges | undefined
  /** The parts that are still to begin, and how many have begun and not ended. */
  #waiting: readonly number[] = []
  #open = 0
  #paused = false
  #over = false

  constructor(means: Means) {
    this.#means = means
    this.#pump = new Pump({
      start: () => this.#start(),
      pause: () => this.#hold(true),
      resume: () => this.#hold(false),
      cancel: (reason) => this.#stop(reason),
    })
  }

  /** The stream of all parts, the first of which have begun. */
  body(first: readonly Answer[], exchanges: Exchanges): StreamBody {
    this.#exchanges = exchanges
    this.#waiting = exchanges.parts.map((_, at) => at).slice(first.length)
    this.#start = () => {
      for (const [at, answer] of first.entries()) this.#follow(answer, at)
    }
    return this.#bodyOf(first)
  }

  /** A stream as it comes, and then the parts that it lacks, if there are any. `rest` throws if they can't be added. */
  continuing(first: Answer, lacking: Lacking, rest: () => Rest): StreamBody {
    this.#start = () => this.#pass(first.body as StreamBody, lacking, rest)
    return this.#bodyOf([first])
  }

  #bodyOf(first: readonly Answer[]): StreamBody {
    this.#open = first.length
    for (const { body } of first) if (isStream(body)) this.#active.add(body)
    const silence = silenceOf(this.#active.values().next().value)
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
    const events = new EventReader()
    const { call, joiner } = this.#means
    const reader = call.operation.reader?.(this.#exchanges?.parts[0]?.body.outline ?? {})
    this.#exchanges?.reads(at, reader)
    const take = (list: readonly ServerEvent[]) => {
      for (const event of list) {
        const sight = reader?.see(event)
        if (!this.#active.has(body)) return
        // What it reports goes on as it is: the check outside words it, and ends the stream.
        const bytes = typeof sight === 'object' ? bytesOf(event) : joiner.event(event, at)
        if (bytes) this.#pump.push(bytes)
        if (sight === 'end') this.#leave(body, true)
      }
    }
    this.#read(body, {
      chunk: (bytes) => take(events.read(bytes)),
      end: () => take(events.end()),
      complete: () => reader?.complete !== false,
    })
  }

  #pass(body: StreamBody, lacking: Lacking, rest: () => Rest): void {
    const { call, joiner } = this.#means
    const reader = call.operation.reader?.(call.body.outline)
    if (!reader) throw new Error('an operation with streams reads them')
    const part = new FirstPart({ reader, joiner, lacking })
    const emit = (bytes: Uint8Array) => this.#pump.push(bytes)
    const leave = (settles: boolean) => {
      try {
        const { exchanges, missing } = rest()
        const attempt = call.trace.attempts.at(-1)
        if (attempt) attempt.part = { complete: true, usage: reader.usage }
        this.#exchanges = exchanges
        this.#waiting = missing
        this.#leave(body, settles)
      } catch (error) {
        this.#break(error)
      }
    }
    this.#read(body, {
      chunk(bytes) {
        part.chunk(bytes, emit)
        if (part.ended) leave(true)
      },
      end: () => {
        part.end(emit)
        // All of it has gone out as it came, its end included.
        if (lacking.isWhole) this.#finish()
        else if (part.complete) leave(false)
      },
      complete: () => part.complete,
    })
  }

  /** Reads a part to its end, unless it has been left before. */
  #read(body: StreamBody, part: { chunk(bytes: Uint8Array): void; end(): void; complete(): boolean }): void {
    this.#active.add(body)
    readThrough(body, {
      chunk: (bytes) => {
        if (this.#active.has(body)) part.chunk(bytes)
      },
      end: () => {
        if (this.#active.has(body)) part.end()
        if (!this.#active.has(body)) return
        if (part.complete()) this.#leave(body)
        else this.#break(truncated())
      },
      fail: (error) => this.#break(error),
    })
    if (this.#paused) body.source.pause()
  }

  /** A part is complete: the next one begins, or the stream is over. `settles`: its source may still come to its end. */
  #leave(body: StreamBody, settles = false): void {
    this.#active.delete(body)
    closeSteps(body.steps)
    if (settles) void this.#means.clock.after(settleTime, () => body.source.cancel('It has said everything.'))
    this.#open--
    if (this.#open === 0 && this.#waiting.length === 0) {
      for (const bytes of this.#means.joiner.end()) this.#pump.push(bytes)
      this.#finish()
    }
    const exchanges = this.#exchanges
    while (exchanges && this.#open < exchanges.first && this.#waiting.length > 0) this.#begin(exchanges)
  }

  #begin(exchanges: Exchanges): void {
    const [at = 0, ...rest] = this.#waiting
    this.#waiting = rest
    this.#open++
    exchanges.open(at).then(
      (answer) => (this.#over ? discard(answer) : this.#follow(answer, at)),
      (failure) => this.#break(failure),
    )
  }

  #finish(): void {
    this.#over = true
    for (const { steps } of this.#active) closeSteps(steps)
    this.#active.clear()
    this.#exchanges?.over()
    this.#pump.finish()
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
    this.#exchanges?.stop(reason)
    this.#exchanges?.over()
  }
}
