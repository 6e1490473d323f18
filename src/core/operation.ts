import type { RequestBody } from '../wire/body.ts'
import type { Random } from '../wire/ids.ts'
import type { JsonObject } from '../wire/json.ts'
import type { ServerEvent } from '../wire/sse.ts'

export type Capability = 'tools' | 'vision' | 'schema'

/**
 * One thing that can be asked of a model, such as a chat. The only place that knows what its requests and answers mean:
 * routing, the checks of streams and all that counts or keeps answers ask it.
 */
export interface Operation {
  readonly name: string
  /** OpenAI's own path, without `/v1`: where a compatible provider is asked. */
  readonly path: string
  /** Paths of OpenAI's API, without `/v1`, where clients ask for it; `{model}` stands for a model's name, slashes included. */
  readonly routes: readonly string[]
  /** An id for an answer whose upstream gives none. */
  id(random: Random): string
  /** Throws the 400 that OpenAI answers to a request that can't be one. */
  check(body: RequestBody): void
  /** What a model needs for this request. */
  query(body: RequestBody): Demand
  /** Why a whole 2xx body is no answer; undefined when it is one. */
  fault(answer: JsonObject): Fault | undefined
  /** The tokens that an answer or a last event tells, as it tells them. */
  usage(answer: JsonObject): JsonObject | undefined
  /** Follows one stream. Absent: the operation has no streams. */
  reader?(): StreamReader
}

export interface Demand {
  readonly needs: ReadonlySet<Capability>
  /** A low estimate of the prompt's tokens. */
  readonly tokens: number
}

/** An error that an upstream tells in what looks like an answer, or what is wrong with it. */
export type Fault = { readonly told: unknown } | { readonly wrong: string }

/** What an event of a stream is. `end`: the upstream says that this was all. */
export type Sight = 'nothing' | 'content' | 'finish' | 'end' | Fault

/** Follows a stream event by event. Keeps a few fields, never bytes. */
export interface StreamReader {
  see(event: ServerEvent): Sight
  /** All that was begun has been finished. */
  readonly complete: boolean
  readonly usage: JsonObject | undefined
  /** Keys whose texts never change what an event is: events that differ in these alone need not be seen. */
  readonly texts: ReadonlySet<string>
}
