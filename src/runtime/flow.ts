import { closeSteps, type LateStream, type PendingStream, type StreamBody } from '../core/answer.ts'
import type { Clock } from '../core/clock.ts'
import { type StagedSource, settleTime, staged } from '../core/stages.ts'
import { type ByteSink, gap, gapTime, type Silence, type Stage, type Step, type Watch } from '../core/stream.ts'

/** A stream that is being sent to a client. */
export interface Flow {
  pause(): void
  resume(): void
  cancel(reason: unknown): void
}

/** Runs the bytes of a stream through its steps and into `sink`: one chain of calls per chunk, on every runtime. */
export function flow({ source, steps }: StreamBody, sink: ByteSink, clock: Clock): Flow {
  const timers: SilenceTimer[] = []
  let over = false
  let settled = () => {}
  const stop = () => {
    if (over) return
    over = true
    for (const timer of timers) timer.stop()
    closeSteps(steps)
  }
  const last = withGaps(
    {
      chunk: (bytes) => sink.chunk(bytes),
      end() {
        stop()
        sink.end()
      },
      fail(error) {
        stop()
        sink.fail(error)
      },
    },
    clock,
  )
  let next: ByteSink = last
  const stoppable: StagedSource = {
    cancel: (reason) => source.cancel(reason),
    settle() {
      settled = clock.after(settleTime, () => source.cancel('It has said everything.'))
    },
  }
  for (const step of steps.toReversed()) {
    const outer = next
    if (step.silence) timers.push(new SilenceTimer(step.silence, clock, (bytes) => outer.chunk(bytes)))
    next = stepped(step, stoppable, outer)
  }
  const inner = next
  source.pipe({
    chunk: inner.chunk,
    end() {
      settled()
      inner.end()
    },
    fail(error) {
      settled()
      inner.fail(error)
    },
  })
  // After the synchronous output, which may end the stream: a timer has a cost.
  if (!over) for (const timer of timers) timer.start()
  return {
    pause() {
      for (const timer of timers) timer.paused = true
      source.pause()
    },
    resume() {
      for (const timer of timers) timer.paused = false
      source.resume()
    },
    cancel(reason) {
      stop()
      last.cancel()
      source.cancel(reason)
    },
  }
}

function stepped({ stage, watch }: Step, source: StagedSource, next: ByteSink): ByteSink {
  if (stage) return staged(stage, source, next)
  return watch ? staged(watched(watch), source, next) : next
}

/** A watch as a stage that passes everything on. If it throws, only its own stream breaks. */
function watched(watch: Watch): Stage {
  return {
    chunk(bytes, emit) {
      watch.see(bytes)
      emit(bytes)
    },
    end(emit) {
      watch.ended?.({ seen: true })?.forEach(emit)
    },
    fail(error, emit) {
      const last = watch.ended?.({ seen: true, failure: { error } })
      if (!last) throw error
      last.forEach(emit)
    },
  }
}

/** A sink before `next` that holds back what follows a `gap`, until that is over. A second one adds nothing. */
function withGaps(next: ByteSink, clock: Clock): ByteSink & { cancel(): void } {
  let held: Uint8Array[] | undefined
  /** How the stream ended meanwhile. */
  let ending: (() => void) | undefined
  let cancel = () => {}
  const wait = () => {
    const waiting: Uint8Array[] = []
    held = waiting
    cancel = clock.after(gapTime, () => {
      held = undefined
      for (const bytes of waiting) next.chunk(bytes)
      ending?.()
    })
  }
  const over = (end: () => void) => {
    if (held) ending ??= end
    else end()
  }
  return {
    chunk(bytes) {
      if (!held && bytes !== gap) next.chunk(bytes)
      else if (!held) wait()
      // A comment that breaks a silence may come even behind the end.
      else if (!ending) held.push(bytes)
    },
    end: () => over(() => next.end()),
    fail: (error) => over(() => next.fail(error)),
    cancel: () => cancel(),
  }
}

/** Checks for activity at intervals, so that a chunk costs no timer. Time when the client reads nothing is ignored. */
export class SilenceTimer {
  paused = false
  readonly #silence: Silence
  readonly #clock: Clock
  readonly #say: (bytes: Uint8Array) => void
  readonly #looks: number
  readonly #period: number
  #quiet = 0
  #cancel = () => {}
  #stopped = false

  /** `least`: minimum milliseconds between two checks. */
  constructor(silence: Silence, clock: Clock, say: (bytes: Uint8Array) => void, least = 0) {
    this.#silence = silence
    this.#clock = clock
    this.#say = say
    this.#period = Math.max(silence.ms / silence.looks, least)
    this.#looks = Math.min(silence.looks, Math.ceil(silence.ms / this.#period))
  }

  start(): void {
    if (!this.#stopped) this.#cancel = this.#clock.after(this.#period, () => this.#look())
  }

  stop(): void {
    this.#stopped = true
    this.#cancel()
  }

  #look(): void {
    this.start()
    const heard = this.#silence.heard()
    this.#quiet = this.paused ? 0 : heard ? 1 : this.#quiet + 1
    if (this.#quiet <= this.#looks) return
    this.#quiet = 1
    const said = this.#silence.onSilence()
    if (said && !this.#stopped) this.#say(said)
  }
}

/** Emits `comment` at once and then every `ms`, until the stream is available or `stop` is called. */
export function beatUntil(
  { pending, ms, comment }: PendingStream,
  clock: Clock,
  say: (bytes: Uint8Array) => void,
): { readonly late: Promise<LateStream>; stop(): void } {
  let cancel = () => {}
  const stop = () => cancel()
  const beat = () => {
    cancel = clock.after(ms, beat)
    say(comment)
  }
  beat()
  return { late: pending.finally(stop), stop }
}
