import type { TraceContext } from '../../core/trace-context.ts'
import type { Attributes } from './attributes.ts'

export const server = 2
export const client = 3

/** A span without its attributes. */
export interface SpanHead {
  readonly context: TraceContext
  readonly id: string
  readonly parent: string | undefined
  readonly kind: typeof server | typeof client
  /** The first word of its name: one of a few. */
  readonly what: string
  /** The rest of its name, which others may have chosen. */
  readonly of: string | undefined
  /** Milliseconds since 1970. */
  readonly start: number
  readonly end: number
}

/** Spans on their way, written at once as the body of a request by OTLP. */
export interface SpanBatch {
  /** How many spans it has. */
  readonly size: number
  /** Begins a span, whose attributes are to follow. One that was begun and not ended doesn't count. */
  begin(head: SpanHead): Attributes
  /** Ends it. */
  end(failed: boolean): void
  /** All of it. Nothing may be added after this. */
  take(): Uint8Array<ArrayBuffer>
  /** Its bytes are no longer needed: another batch may have their memory. */
  release?(): void
}

/** Makes batches, all of the same resource, whose attributes have these names. */
export type Batches = (resource: Readonly<Record<string, string>>) => () => SpanBatch

/** Of a span's flags: whether it is known where the parent is, and that it is elsewhere. */
const hasRemote = 0x100
const isRemote = 0x200

export function flagsOf({ context, kind, parent }: SpanHead): number {
  return context.flags | hasRemote | (kind === server && parent !== undefined ? isRemote : 0)
}
