import { Pump } from '../core/pump.ts'
import type { Signal } from '../core/signal.ts'
import { GatewayError } from '../wire/errors.ts'

export interface PumpOptions {
  /** Gets the reader when the stream is locked, which is when it is first read. */
  readonly locked?: (reader: ReadableStreamDefaultReader<Uint8Array>) => void
  /** What a failure of the stream is. The default is that of an upstream. */
  readonly failure?: (error: unknown) => unknown
}

/** A source of what a stream holds. */
export function pumpOf(
  body: ReadableStream<Uint8Array> | null | undefined,
  signal: Signal,
  { locked = () => {}, failure = brokenOff }: PumpOptions = {},
): Pump {
  let reader: ReadableStreamDefaultReader<Uint8Array> | undefined
  let wake: (() => void) | undefined
  let paused = false
  let over = false
  const onAbort = () => {
    pump.break(signal.reason)
    stop(signal.reason)
  }
  const stop = (reason: unknown) => {
    over = true
    wake?.()
    void (reader ?? body)?.cancel(reason).catch(() => {})
  }
  const run = async () => {
    while (reader && !over) {
      if (paused) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
        continue
      }
      const { done, value } = await reader.read()
      if (done) break
      pump.push(value)
    }
    if (!over) pump.finish()
  }
  const pump = new Pump({
    start() {
      reader = body?.getReader()
      if (reader) locked(reader)
      signal.addEventListener('abort', onAbort)
      // The client may have left after the response arrived and before it was read; no further event would come.
      if (signal.aborted) onAbort()
      run()
        .catch((error: unknown) => pump.break(signal.aborted ? signal.reason : failure(error)))
        .finally(() => signal.removeEventListener('abort', onAbort))
    },
    pause() {
      paused = true
    },
    resume() {
      paused = false
      wake?.()
    },
    cancel: stop,
  })
  return pump
}

export function brokenOff(error: unknown): GatewayError {
  return new GatewayError('network', 'The connection to the upstream broke.', {
    cause: error,
    code: 'upstream_stream_truncated',
  })
}
