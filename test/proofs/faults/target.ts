import type { ApiName } from './apis.ts'
import type { Watched } from './watched.ts'

/** What routes a request to deployments: a name for the model, and headers if it takes more. */
export interface Route {
  readonly model: string
  readonly headers?: Readonly<Record<string, string>>
}

/**
 * The purposes for which a gateway is set up. Each has a first deployment and a fallback; `refused`: nothing listens at
 * the first one's address.
 */
export type Purpose = 'campaign' | 'refused' | `outage-${string}` | 'resume' | 'plain' | 'hedge'

/** A gateway under test. */
export interface Target {
  readonly name: string
  /** Its address, without `/v1`. */
  readonly url: string
  readonly key: string
  route(purpose: Purpose, wire: string): Route
  /** Milliseconds after which an answer counts as hung. */
  readonly patience?: number
  /** Its runtime doesn't tell it that a client closed the connection in order. */
  readonly blind?: boolean
  /** The APIs that it serves; absent: only chats, from the formats of providers that do no more. */
  readonly apis?: readonly ApiName[]
  /** Its process, if this program started it. */
  readonly process?: Watched
}
