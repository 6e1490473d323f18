const minute = 60_000

/**
 * What may be used in a minute, as a bucket: it holds that much, and fills evenly. Can be in debt, if more was used than
 * was taken. Times in milliseconds.
 */
export class Bucket {
  readonly limit: number
  #level: number
  #at: number

  /** `level`: what is in it, if not all. */
  constructor(limit: number, now: number, level = limit) {
    this.limit = limit
    this.#level = Math.min(level, limit)
    this.#at = now
  }

  /** What is in it, at least 0. */
  left(now: number): number {
    this.#fill(now)
    return Math.max(0, Math.floor(this.#level))
  }

  /** Milliseconds until it has `need`, or all that it can hold: 0 if it has. */
  wait(need: number, now: number): number {
    this.#fill(now)
    const lacking = Math.min(need, this.limit) - this.#level
    // A sum of fractions may lack the last digit of what it is.
    return lacking <= 1e-9 ? 0 : Math.ceil((lacking / this.limit) * minute - 1e-6)
  }

  /** To be called where `wait` says 0. What it can't hold is a debt. */
  take(amount: number): void {
    this.#level -= amount
  }

  /** Gives back what was taken and not used; below 0, takes what was used beyond. */
  giveBack(amount: number, now: number): void {
    this.#fill(now)
    this.#level = Math.min(this.limit, this.#level + amount)
  }

  /** What is missing until it is full. */
  missing(now: number): number {
    this.#fill(now)
    return this.limit - this.#level
  }

  /** Milliseconds until it is full. */
  reset(now: number): number {
    return this.wait(this.limit, now)
  }

  /** The same with another limit: what was used stays used. */
  resized(limit: number, now: number): Bucket {
    return new Bucket(limit, now, limit - this.missing(now))
  }

  #fill(now: number): void {
    // A clock that was set back fills nothing until it is where it was.
    if (now <= this.#at) return
    this.#level = Math.min(this.limit, this.#level + ((now - this.#at) / minute) * this.limit)
    this.#at = now
  }
}
