import type { Random } from '../wire/ids.ts'
import type { JsonObject } from '../wire/json.ts'
import type { ServerEvent } from '../wire/sse.ts'
import type { Clock } from './clock.ts'

/** What an answer says of itself, unchecked: its id, and of each of its choices why it ended. */
export interface Conclusion {
  readonly id: unknown
  readonly reasons: readonly unknown[]
}

/** `told`: an error that the upstream reports inside an apparent answer. `wrong`: what is invalid about the answer. */
export type Fault = { readonly told: unknown } | { readonly wrong: string }

/** What an event of a stream means. `end`: the upstream says that the stream is complete. */
export type Sight = 'nothing' | 'content' | 'finish' | 'end' | Fault

/** What it takes to name an answer that its upstream has not named. */
export interface NamingServices {
  readonly random: Random
  readonly clock: Pick<Clock, 'now'>
}

/** What `broken` may be told beside the error. */
export interface Breaking {
  /**
   * An event has gone out that the reader knows nothing of: the one with which the upstream told the error, or half of
   * another.
   */
  readonly hasMore?: boolean
  /** How long to wait before the next try, in milliseconds. */
  readonly retryAfterMs?: number | undefined
}

/** Reads a stream event by event. Keeps a few fields, and only what `broken` tells of besides. */
export interface StreamReader {
  see(event: ServerEvent): Sight
  /** Whether everything that was started has been finished. */
  readonly complete: boolean
  /** Whether a stream without `[DONE]` is whole too; absent: it gets one. */
  readonly endsItself?: boolean
  /**
   * Whether the event has come that says how it all ended: whatever follows but `[DONE]` is none of the answer's, nor is
   * it a matter how the stream itself ends. Absent: no event says so.
   */
  readonly isOver?: boolean
  /** Whether a connection that breaks now takes nothing away, although more might have come. Absent: what `isOver` says. */
  readonly survivesBreak?: boolean
  readonly usage: JsonObject | undefined
  /** What the stream says of itself. Absent: nothing that is known. */
  readonly conclusion?: Conclusion | undefined
  /**
   * The end of a stream that an error ends, in the form of its own events, in pieces with `gap` between them. Absent: the
   * envelope.
   */
  broken?(envelope: JsonObject, services: NamingServices, more?: Breaking): readonly Uint8Array[]
  /** Keys whose texts never change what an event means: events that differ only in these need not be read. */
  readonly texts: ReadonlySet<string>
  /** The same for keys whose numbers don't: those that count events. Absent: there are none. */
  readonly numbers?: ReadonlySet<string>
  /**
   * The one of `texts` that the reader keeps: before an event that it has to read, it reads those that it had not to as
   * one, with all of their pieces. Absent: it never reads them.
   */
  readonly joined?: string
}
