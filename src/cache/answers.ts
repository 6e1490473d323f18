import type { JsonObject } from '../wire/json.ts'

/** A complete answer, as it went out. */
export interface Stored {
  /** Whether it is a stream, of server-sent events. */
  readonly streams: boolean
  readonly body: Uint8Array
  /** Its content type. */
  readonly type: string
  /** `provider/model` of who gave it. */
  readonly served: string
  /** When, in milliseconds since 1970. */
  readonly at: number
  /** The digest of the request that it answers, where something else says which one it is for. */
  readonly request?: string | undefined
  /** What was used for it, in the words of its API. Absent: it doesn't say. */
  readonly usage?: JsonObject | undefined
  /** Whether it is a stream that tells its usage because it was asked to. */
  readonly counts?: boolean
  /** What of the request was left out for it. */
  readonly dropped?: readonly string[] | undefined
}

/** The SHA-256 of some bytes, in lower-case hex. */
export type Digest = (bytes: Uint8Array) => string | Promise<string>

/** What a gateway keeps answers with. */
export interface Store {
  readonly answers: Answers
  readonly digest: Digest
  /** Whether what one request gets may go to another one while that is under way. */
  readonly flies: boolean
}

/** Whose answer it is, and until when it is of use, in milliseconds since 1970. */
export interface Keeping {
  readonly tenant: string
  readonly until: number
}

/** Where answers are kept, by the digest of their requests. Nothing of it ever fails a request. */
export interface Answers {
  /** Undefined if there is none, or no more. Never rejects. At once where it is at hand. */
  get(id: string, tenant: string): Stored | undefined | Promise<Stored | undefined>
  /** Keeps an answer, in place of the one before it. Waits for nothing. */
  put(id: string, answer: Stored, keeping: Keeping): void
  /** A part of a tenant's ids, which is another one once they were dropped. Never rejects. Absent: drops need none. */
  generationOf?(tenant: string): string | Promise<string>
  /** Drops the answers of a tenant, or all. Rejects if some may be left. */
  drop(tenant?: string): Promise<void>
  /** Resolves once what was put before is kept as well as it can be. */
  flush(): Promise<void>
}
