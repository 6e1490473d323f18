/** What a deployment may be asked for in a minute. */
export interface RateLimits {
  /** Requests. */
  readonly rpm?: number | undefined
  /** Tokens, of prompts and answers. */
  readonly tpm?: number | undefined
}

const length = 60_000

/** What a deployment has been asked for in the current minute of the clock. */
export class MinuteUse {
  #minute = 0
  #requests = 0
  #tokens = 0

  /** Counts a request. The function that it returns corrects the estimated tokens, once they are known. */
  began(now: number, estimate: number): (now: number, tokens: number) => void {
    this.#turn(now)
    this.#requests++
    this.#tokens += estimate
    const began = this.#minute
    return (later, tokens) => {
      this.#turn(later)
      // An answer counts in the minute in which it ends.
      this.#tokens += this.#minute === began ? tokens - estimate : tokens
    }
  }

  /** The limit that another request with so many tokens would be over. */
  over({ rpm, tpm }: RateLimits, tokens: number, now: number): 'rpm' | 'tpm' | undefined {
    this.#turn(now)
    if (rpm !== undefined && this.#requests >= rpm) return 'rpm'
    return tpm !== undefined && this.#tokens + tokens > tpm ? 'tpm' : undefined
  }

  /** The share of its limits that is used; that of the scarcer one. */
  share({ rpm, tpm }: RateLimits, now: number): number {
    this.#turn(now)
    return Math.max(rpm === undefined ? 0 : this.#requests / rpm, tpm === undefined ? 0 : this.#tokens / tpm)
  }

  #turn(now: number): void {
    const minute = Math.floor(now / length)
    if (minute === this.#minute) return
    this.#minute = minute
    this.#requests = 0
    this.#tokens = 0
  }
}
