import type { ObjectSettings } from '../config/state.ts'
import { type Account, tenantFor } from '../core/account.ts'
import type { Clock } from '../core/clock.ts'
import type { Log } from '../core/log.ts'
import { StoreError } from '../state/database.ts'
import { type Kept, type ObjectKey, type Objects, type StoredObject, TooLarge } from '../state/objects.ts'
import { GatewayError } from '../wire/errors.ts'
import type { Random } from '../wire/ids.ts'
import type { JsonObject } from '../wire/json.ts'

export interface KeepingOptions {
  readonly objects: Objects
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly settings: ObjectSettings
  /**
   * Has the runtime wait for what is written, where no request can wait for another's work. Absent: whoever reads waits
   * for it.
   */
  readonly defer?: ((work: Promise<void>) => void) | undefined
  /** How often the store is asked while a response is made. Absent: as often as a database at hand bears. */
  readonly pace?: Pace | undefined
}

/** In milliseconds. */
export interface Pace {
  /** For which events wait for others, to be written together. */
  readonly write: number
  /** Between two looks for more of them. */
  readonly look: number
  /** Between two signs of life. */
  readonly beat: number
}

const fast: Pace = { write: 50, look: 100, beat: 1_000 }

/** Milliseconds for which the end of a stream waits for it to be written. */
const longestWait = 5_000
/** For which what clients store is kept. */
const usualDays = 30
/** For which it is known at least whose it is that a provider keeps: OpenAI and others keep responses for 30. */
const notedDays = 31
const day = 24 * 60 * 60 * 1000

/** Whose what a request stores is. */
export const ownerOf = (account: Account | undefined, key: string | undefined): string => tenantFor(account, key).key

/** What clients have stored, so that they find at once what they were told of. One for a process. */
export class Keeping {
  readonly objects: Objects
  readonly clock: Clock
  readonly random: Random
  readonly #log: Log
  readonly #defer: KeepingOptions['defer']
  readonly #days: number
  /** Whether a provider is asked to store a chat too. */
  readonly passesOn: boolean
  readonly pace: Pace
  readonly #writing = new Set<Promise<boolean>>()

  constructor({ objects, clock, random, log, settings, defer, pace = fast }: KeepingOptions) {
    this.objects = objects
    this.clock = clock
    this.random = random
    this.#log = log
    this.#defer = defer
    this.pace = pace
    this.#days = settings.retention ?? usualDays
    this.passesOn = settings.passOn === true
  }

  get seconds(): number {
    return Math.floor(this.clock.now() / 1000)
  }

  /** When what is written now is deleted. */
  get expiry(): number {
    return Math.floor(this.clock.now()) + this.#days * day
  }

  /**
   * Writes one. Resolves with whether it is written; never rejects, since an answer that isn't
   * kept is an answer even so.
   */
  put(key: ObjectKey, body: JsonObject): Promise<boolean> {
    return this.write(() => this.objects.put(this.objectOf(key, body)))
  }

  /**
   * Notes whose those are that a provider keeps. Resolves with whether it is written; never rejects. `provider`: null if
   * nobody asks there.
   */
  note(keys: readonly ObjectKey[], provider: string | null): Promise<boolean> {
    const expires = Math.floor(this.clock.now()) + Math.max(this.#days, notedDays) * day
    const notes = keys.map((key) => ({ ...this.objectOf(key, { provider }), expires }))
    return this.write(() => this.objects.putAll(notes))
  }

  /** One that is made now. */
  objectOf(key: ObjectKey, body: JsonObject): StoredObject {
    const { owner, kind, id } = key
    return { owner, kind, id, created: Math.floor(this.clock.now()), expires: this.expiry, body }
  }

  /** Does what writes, and has readers wait for it. Resolves with whether it is done; never rejects. */
  write(work: () => Promise<unknown>): Promise<boolean> {
    const writing = work().then(
      () => true,
      (error: unknown) => {
        const level = error instanceof TooLarge ? 'warn' : 'error'
        this.#log(`What a client stores can't be written: ${error instanceof Error ? error.message : error}`, level)
        return false
      },
    )
    if (this.#defer) this.#defer(writing.then(() => {}))
    else this.#writing.add(writing)
    void writing.then(() => this.#writing.delete(writing))
    return writing
  }

  /** Resolves once all is written that clients may have been told of. */
  async settled(): Promise<void> {
    await Promise.all(this.#writing)
  }

  /** Rejects with a `GatewayError` if the store can't be read. */
  async find(key: ObjectKey): Promise<StoredObject | undefined> {
    if (!isId(key.id)) return undefined
    return await readable(async () => {
      await this.settled()
      return await this.objects.get(key)
    })
  }

  /** Those of some ids that are known to be somebody else's. Rejects with a `GatewayError` if the store can't be read. */
  async ofOthers(owner: string, ids: readonly string[]): Promise<ReadonlyMap<string, Kept>> {
    const asked = [...new Set(ids.filter(isId))]
    if (asked.length === 0) return new Map()
    return await readable(async () => {
      await this.settled()
      return await this.objects.ofOthers(owner, asked)
    })
  }

  /** Resolves with what is written, or when a client can't be kept waiting for it. */
  async within(writing: Promise<unknown>): Promise<void> {
    let cancel = () => {}
    const late = new Promise<void>((over) => {
      cancel = this.clock.after(longestWait, over)
    })
    await Promise.race([writing, late])
    cancel()
  }

  wait(ms: number): Promise<void> {
    return new Promise((over) => this.clock.after(ms, over))
  }
}

/** What ids consist of, whoever has made them. */
export function isId(id: unknown): id is string {
  return typeof id === 'string' && /^[\w.:-]{1,200}$/.test(id)
}

function tooMuch(cause: TooLarge): GatewayError {
  const message = `This is too much to be stored: as JSON it has ${cause.size} characters.`
  return new GatewayError('bad_request', message, { status: 413, code: 'request_too_large', cause })
}

/** Runs what reads or changes the store. Rejects with the 503 where that is out of order, and the 413 for too much. */
export async function readable<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    if (cause instanceof TooLarge) throw tooMuch(cause)
    if (!(cause instanceof StoreError)) throw cause
    const message = 'What is stored in this gateway can not be read or written now. Its log says why.'
    throw new GatewayError('overloaded', message, { code: 'store_unavailable', cause })
  }
}
