import type { Clock } from '../../core/clock.ts'
import { type JsonObject, objectAt } from '../../wire/json.ts'

/** What an answer tells of its making: the tokens, and how long it took, which few say. */
export interface Told {
  readonly usage: JsonObject | undefined
  /** llama.cpp's, in milliseconds. */
  readonly timings?: JsonObject | undefined
}

/** The times of one answer, by the gateway's clock. */
export class Stopwatch {
  readonly #clock: Clock
  readonly #started: number
  #spoke: number | undefined
  #last = { at: Number.NaN, text: '' }

  constructor(clock: Clock) {
    this.#clock = clock
    this.#started = clock.now()
  }

  /** The time now as text. */
  stamp(): string {
    const at = Math.floor(this.#clock.now())
    if (at !== this.#last.at) this.#last = { at, text: new Date(at).toISOString() }
    return this.#last.text
  }

  /** The first token is there. */
  spoke(): void {
    this.#spoke ??= this.#clock.now()
  }

  /** The fields of a last line about the whole: durations in nanoseconds, of which none may be 0 for a speed. */
  measures({ usage, timings }: Told): JsonObject {
    const total = this.#clock.now() - this.#started
    const waited = this.#waited(total, usage)
    const prompt = msOf(timings?.prompt_ms) ?? secondsOf(usage?.prompt_time) ?? waited
    const spoken = msOf(timings?.predicted_ms) ?? secondsOf(usage?.completion_time) ?? total - waited
    return {
      total_duration: nanoseconds(total),
      load_duration: nanoseconds(secondsOf(usage?.queue_time) ?? 0),
      ...countOf('prompt_eval_count', usage?.prompt_tokens),
      prompt_eval_duration: nanoseconds(prompt),
      ...countOf('eval_count', usage?.completion_tokens),
      eval_duration: nanoseconds(spoken),
    }
  }

  /** Milliseconds up to the first token: an answer that came at once, or whole, doesn't show them. */
  #waited(total: number, usage: JsonObject | undefined): number {
    const waited = (this.#spoke ?? Number.POSITIVE_INFINITY) - this.#started
    return total - waited >= shortest ? waited : total * (1 - writingShare(usage))
  }
}

/** Milliseconds in which an answer may really have been written. */
const shortest = 1
/** Tokens of a prompt that are read while one is written, roughly. */
const readPerWritten = 10

/** The part of the time that went into writing, as far as the tokens tell. */
function writingShare(usage: JsonObject | undefined): number {
  const { prompt_tokens: read, completion_tokens: written } = usage ?? {}
  if (typeof read !== 'number' || typeof written !== 'number' || written <= 0) return 1
  return written / (written + Math.max(0, read) / readPerWritten)
}

/** What a chunk or an answer says of its making. */
export function timingsIn(answer: JsonObject): JsonObject | undefined {
  return objectAt(answer, 'timings')
}

function nanoseconds(ms: number): number {
  return Math.max(1, Math.round(ms * 1e6))
}

function msOf(value: unknown): number | undefined {
  return typeof value === 'number' && value >= 0 ? value : undefined
}

/** Groq's usage has times in seconds. */
function secondsOf(value: unknown): number | undefined {
  return typeof value === 'number' && value >= 0 ? value * 1000 : undefined
}

export function countOf(name: string, value: unknown): JsonObject {
  return typeof value === 'number' ? { [name]: value } : {}
}
