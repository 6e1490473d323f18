/** The distributed trace that a request belongs to: https://www.w3.org/TR/trace-context/ */
export interface TraceContext {
  /** 32 hex digits. */
  readonly traceId: string
  /** Of the request's own span: 16 hex digits. */
  readonly spanId: string
  /** The client's span; undefined if the trace begins here. */
  readonly parentId: string | undefined
  /** The client's `tracestate`. */
  readonly state: string | undefined
  /** `trace-flags`; the lowest bit says whether it is sampled. */
  readonly flags: number
  /** The id of a new span; that of the client's where none are made. */
  nextSpan(): string
}

/** Its headers for whoever does the work of the span `spanId`. */
export function traceHeaders({ traceId, flags, state }: TraceContext, spanId: string): Record<string, string> {
  const traceparent = `00-${traceId}-${spanId}-${flags.toString(16).padStart(2, '0')}`
  return state === undefined ? { traceparent } : { traceparent, tracestate: state }
}
