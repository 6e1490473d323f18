import type { Config } from '../config/schema.ts'
import type { Gateway } from '../gateway.ts'
import type { Watch } from '../observe/metrics/metrics.ts'
import type { Key } from '../state/key.ts'
import type { HeaderReader } from '../wire/headers.ts'
import type { JsonObject } from '../wire/json.ts'
import type { ConfigControl } from './control.ts'
import type { AdminState } from './state.ts'

/** What admin routes look at. */
export interface AdminScope {
  readonly gateway: Gateway
  /** The configuration in force, with what was added to it where the user's has no `providers`. */
  readonly config: Config
  /** Where it came from: a file's name, or a variable's. */
  readonly source: string | undefined
  /** Milliseconds since 1970. */
  readonly loaded: number
  readonly env: Readonly<Record<string, unknown>>
  /** Absent where a deployment is the reload. */
  readonly control: ConfigControl | undefined
  /** Absent if no metrics are told here. */
  readonly scrape?: Watch['scrape'] | undefined
  /** Resolves once it is open, and rejects with a `StoreError` if it can't be. Absent if none is configured. */
  readonly state?: (() => Promise<AdminState>) | undefined
}

/** A request that has passed the guard. */
export interface AdminRequest {
  /** The parts of the path that stand in braces in the route's, decoded. */
  readonly parameters: Readonly<Record<string, string>>
  readonly query: URLSearchParams
  readonly header: HeaderReader
  /** The holder of a key who asks for their own; undefined: an operator. */
  readonly holder: Key | undefined
  /** The body, `{}` if there is none. Rejects with a 400 or 413. */
  json(): Promise<JsonObject>
}

export interface AdminAnswer {
  /** Default 200. */
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  /** An object is sent as JSON; a text, or its bytes, needs a `content-type` in `headers`, or is plain. */
  readonly body: object | string | Uint8Array<ArrayBuffer>
}

export interface AdminRoute {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Without `/v1`. A part in braces is a parameter: `/keys/{id}`. */
  readonly path: string
  /** Whether holders of keys that the state knows may ask as well. */
  readonly forHolders?: boolean
  /** Rejects with a `GatewayError`, which becomes OpenAI's error envelope. */
  answer(request: AdminRequest, scope: AdminScope): AdminAnswer | Promise<AdminAnswer>
}
