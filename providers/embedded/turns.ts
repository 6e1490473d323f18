import type { GenerateOptions } from './contract.ts'

/** Milliseconds of work after which everyone else gets a turn. */
const SLICE = 10
/** The same in tokens, because the clock of a Worker stands still while code runs. */
const SLICE_TOKENS = 16

/** Pauses the work of one request regularly, so that it does not hold up the others. */
export class Turns {
  readonly #options: GenerateOptions
  #since: number
  #tokens = 0

  constructor(options: GenerateOptions) {
    this.#options = options
    this.#since = options.now()
  }

  /** Call it before the work on `tokens` tokens. Pauses if enough was done since the last pause; throws if aborted. */
  async take(tokens = 1): Promise<void> {
    const { now, pause, signal } = this.#options
    if (this.#tokens >= SLICE_TOKENS || now() - this.#since >= SLICE) {
      signal.throwIfAborted()
      await pause()
      this.#tokens = 0
      this.#since = now()
    }
    signal.throwIfAborted()
    this.#tokens += tokens
  }
}
