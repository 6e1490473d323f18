import { type Answer, discardStream, isPending, isStream, type PendingStream, type StreamBody } from '../core/answer.ts'
import type { Clock } from '../core/clock.ts'
import type { Pump } from '../core/pump.ts'
import { Abort, type Signal } from '../core/signal.ts'
import type { StreamReader } from '../core/stream-reader.ts'
import { beatUntil, type Flow, flow } from '../runtime/flow.ts'
import { Block } from '../wire/block.ts'
import { asGatewayError, GatewayError } from '../wire/errors.ts'
import { Reader } from './reader.ts'

/** Bytes that the fastest reader may be behind before the upstream has to wait. */
const highWater = 64 * 1024
/** Bytes that a reader gets at once who is behind. */
const pieceSize = 16 * 1024

/** An answer before its bytes. */
export type Head = Omit<Answer, 'body' | 'socket'>

/** An answer that has come to its end. */
export interface Ended {
  readonly head: Head
  readonly streams: boolean
  readonly whole: Uint8Array
  /** Has read all of a stream, if nothing has changed it after that. */
  readonly reader?: StreamReader | undefined
}

export interface FlightOptions {
  readonly clock: Clock
  /**
   * Bytes from which on nobody can join any more, since its beginning isn't kept; and what a reader may be behind the
   * fastest.
   */
  readonly bound: number
  /**
   * Milliseconds for which it goes on when the last one has left, who may come back, and gets what has been kept.
   * Default: it doesn't.
   */
  readonly linger?: number
  /** Asks the model. `signal` is aborted when nobody wants the answer any more. */
  readonly ask: (signal: Signal) => Promise<Answer>
  /** Called once: nobody can join any more. `whole`: all bytes, if it ended well and they are within the bound. */
  readonly over: (ended: Ended | undefined) => void
}

/**
 * One request to a model whose answer goes to all that ask for the same. Whoever leaves ends it for nobody else; when the
 * last one has left, and nobody has come for some time, the upstream is cut.
 */
export class Flight {
  readonly #options: FlightOptions
  readonly #abort = new Abort()
  readonly #answer: Promise<Answer>
  readonly #readers = new Set<Reader>()
  /** Those who wait for its head, and its readers. */
  #aboard = 0
  /** What came, from the byte at `#from` on: all of it, as long as anybody can join. */
  #record = new Block()
  #from = 0
  /** Bytes so far. */
  #size = 0
  #ended: { readonly error?: unknown } | undefined
  #flow: Flow | undefined
  #paused = false
  #isOver = false
  readonly #landing = Promise.withResolvers<void>()
  #hasLanded = false

  constructor(options: FlightOptions) {
    this.#options = options
    this.#answer = options.ask(this.#abort)
    this.#answer.then(
      (answer) => this.#begin(answer),
      () => {
        this.#close()
        this.#land()
      },
    )
  }

  /** Resolves once nothing more comes; undefined if that is so. */
  get landing(): Promise<void> | undefined {
    return this.#hasLanded ? undefined : this.#landing.promise
  }

  /** Resolves with the whole answer, or one whose stream begins at its beginning. Rejects as its upstream does. */
  join(client: Signal): Promise<Answer> {
    this.#aboard++
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#leave(client.reason)
        reject(client.reason)
      }
      if (client.aborted) return leave()
      client.addEventListener('abort', leave)
      this.#answer.then(
        (answer) => {
          client.removeEventListener('abort', leave)
          if (client.aborted) return
          if (answer.body instanceof Uint8Array) {
            this.#aboard--
            resolve(answer)
          } else resolve({ ...answer, body: { source: this.#read(client), steps: [] } })
        },
        (error) => {
          client.removeEventListener('abort', leave)
          reject(error)
        },
      )
    })
  }

  #begin(answer: Answer): void {
    const { body, status, headers } = answer
    if (body instanceof Uint8Array) {
      this.#close(body.length <= this.#options.bound ? { head: answer, streams: false, whole: body } : undefined)
      this.#land()
    } else if (isStream(body)) this.#run(body, { status, headers })
    else if (isPending(body)) this.#await(body, { status, headers })
  }

  #await(body: PendingStream, head: Head): void {
    const { late, stop } = beatUntil(body, this.#options.clock, (bytes) => this.#add(bytes))
    this.#abort.addEventListener('abort', stop)
    void late.then(({ opening, stream }) => {
      if (this.#abort.aborted) {
        discardStream(stream)
        return this.#land()
      }
      if (opening.length > 0) this.#add(opening)
      this.#run(stream, head)
    })
  }

  #run(body: StreamBody, head: Head): void {
    const running = flow(
      body,
      {
        chunk: (bytes) => this.#add(bytes),
        end: () => this.#end({}, { head, reader: readerOf(body) }),
        fail: (error) => this.#end({ error }),
      },
      this.#options.clock,
    )
    // Some of it may have come, or all, before there was a flow.
    this.#flow = running
    if (this.#abort.aborted) running.cancel(this.#abort.reason)
    else if (this.#paused) running.pause()
  }

  #add(bytes: Uint8Array): void {
    if (bytes.length === 0) return
    const before = this.#size
    this.#record.add(bytes)
    this.#size += bytes.length
    if (this.#size > this.#options.bound) this.#close()
    for (const reader of this.#readers) reader.go(before, bytes)
    this.#trim()
    this.#keepPace()
  }

  #end(outcome: { readonly error?: unknown }, ended?: Pick<Ended, 'head' | 'reader'>): void {
    this.#ended = outcome
    this.#close(ended && !this.#isOver ? { ...ended, streams: true, whole: this.#record.bytes } : undefined)
    this.#land()
    for (const reader of [...this.#readers]) reader.go()
  }

  /** A piece of what came, from the byte at `at` on; undefined if there is no more. */
  #piece(at: number): Uint8Array | undefined {
    if (at >= this.#size) return undefined
    const start = at - this.#from
    const { bytes } = this.#record
    // More bytes would take the place of these.
    return this.#ended ? bytes.subarray(start, start + pieceSize) : bytes.slice(start, start + pieceSize)
  }

  /** Forgets what nobody will read, and parts who is too far behind. */
  #trim(): void {
    // Who waits for the head will begin at the beginning.
    if (!this.#isOver || this.#ended || this.#aboard > this.#readers.size) return
    const furthest = this.#furthest
    for (const reader of [...this.#readers]) if (furthest - reader.at > this.#options.bound) reader.part()
    let first = this.#size
    for (const { at } of this.#readers) first = Math.min(first, at)
    if (first < this.#size && first - this.#from < this.#options.bound) return
    const rest = this.#record.bytes.slice(first - this.#from)
    this.#record = new Block()
    this.#record.add(rest)
    this.#from = first
  }

  /** Has the upstream wait for the fastest reader. */
  #keepPace(): void {
    // Nobody reads it now, but somebody may come back.
    const isForLater = this.#readers.size === 0 && this.#options.linger !== undefined && !this.#isOver
    const isBehind = this.#size - this.#furthest > highWater && !isForLater
    if (isBehind === this.#paused) return
    this.#paused = isBehind
    if (isBehind) this.#flow?.pause()
    else this.#flow?.resume()
  }

  /** The byte that the fastest reader gets next. */
  get #furthest(): number {
    let furthest = 0
    for (const { at } of this.#readers) furthest = Math.max(furthest, at)
    return furthest
  }

  #read(client: Signal): Pump {
    const reader: Reader = new Reader({
      pieceAt: (at) => this.#piece(at),
      isLast: (at) => at === this.#size && this.#ended !== undefined,
      error: () => this.#ended?.error,
      moved: () => {
        this.#trim()
        this.#keepPace()
      },
      over: (reason) => {
        this.#readers.delete(reader)
        this.#leave(reason)
      },
    })
    this.#readers.add(reader)
    // All clients are told that the gateway stops: the source breaks with that, as if each had its own.
    const stop = () => {
      if (asGatewayError(client.reason).kind === 'stopping') this.#cut(client.reason)
    }
    client.addEventListener('abort', stop)
    return reader.pump
  }

  #leave(reason: unknown): void {
    this.#aboard--
    const { linger, clock } = this.#options
    const isEmpty = this.#aboard === 0 && !this.#ended
    if (isEmpty && linger !== undefined && !this.#isOver) {
      this.#keepPace()
      clock.after(linger, () => {
        if (this.#aboard === 0 && !this.#ended) this.#cut(reason)
      })
    } else if (isEmpty) this.#cut(reason)
    else {
      this.#trim()
      this.#keepPace()
    }
  }

  #cut(reason: unknown): void {
    this.#close()
    // A stream of which enough is known is just stopped: its client is still there.
    if (!this.#flow || reason instanceof GatewayError) this.#abort.abort(reason)
    if (this.#aboard > 0 || !this.#flow) return
    this.#flow.cancel(reason)
    this.#land()
  }

  #land(): void {
    this.#hasLanded = true
    this.#landing.resolve()
  }

  #close(ended?: Ended): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#options.over(ended)
  }
}

/** Undefined if what it has read was changed on the way out. */
function readerOf({ steps }: StreamBody): StreamReader | undefined {
  return steps.findLast(({ stage }) => stage)?.reader
}
