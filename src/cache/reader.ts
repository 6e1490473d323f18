import { Pump } from '../core/pump.ts'
import { GatewayError } from '../wire/errors.ts'

export interface Reading {
  /** Of the bytes that are there, as many as go on at once. */
  readonly pieceAt: (at: number) => Uint8Array | undefined
  readonly isLast: (at: number) => boolean
  /** Undefined if it ended well. */
  readonly error: () => unknown
  readonly moved: () => void
  readonly over: (reason: unknown) => void
}

/** One client's way through the bytes of a flight. */
export class Reader {
  readonly pump: Pump
  readonly #reading: Reading
  /** The next byte. */
  at = 0
  #held = true
  #isGoing = false
  #isOver = false

  constructor(reading: Reading) {
    this.#reading = reading
    const resume = () => {
      this.#held = false
      this.go()
      reading.moved()
    }
    this.pump = new Pump({
      start: resume,
      resume,
      pause: () => {
        this.#held = true
      },
      cancel: (reason) => this.#over(reason),
    })
  }

  /** Passes on what there is, as far as the client takes it. `from` and `newest`: what has just come, if anything has. */
  go(from?: number, newest?: Uint8Array): void {
    if (this.#isGoing) return
    this.#isGoing = true
    while (!this.#held && !this.#isOver) {
      const bytes = newest && this.at === from ? newest : this.#reading.pieceAt(this.at)
      if (!bytes) break
      this.at += bytes.length
      this.pump.push(bytes)
    }
    this.#isGoing = false
    if (this.#isOver || !this.#reading.isLast(this.at)) return
    const error = this.#reading.error()
    this.#over('It has ended.')
    if (error === undefined) this.pump.finish()
    else this.pump.break(error)
  }

  /** Ends it for a client that is too far behind the others. */
  part(): void {
    this.#over('It reads too slowly.')
    this.pump.break(new GatewayError('gone', 'The client reads too slowly for an answer that others get too.'))
  }

  #over(reason: unknown): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#reading.over(reason)
  }
}
