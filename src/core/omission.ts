import type { Capability } from '../wire/errors.ts'
import type { JsonObject } from '../wire/json.ts'
import type { ServerEvent } from '../wire/sse.ts'
import type { Feature } from './features.ts'

/** Notices that an answer leaves out something that was asked for, although its upstream said nothing of that. */
export interface Omission {
  readonly feature: Feature & Capability
  /** Whether a whole answer lacks it. */
  isIn(answer: JsonObject): boolean
  /** Sees the first events of a stream in order. Undefined: the next ones will tell. */
  see(event: ServerEvent): 'missing' | 'fine' | undefined
}
