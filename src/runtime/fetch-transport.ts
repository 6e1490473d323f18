import type { Transport } from '../core/call.ts'
import { concat, Pump } from '../core/stream.ts'
import { GatewayError } from '../wire/errors.ts'

/** Sends requests through `fetch`: the only client on Workers. */
export function createFetchTransport(send: typeof fetch): Transport {
  return async function transport(request, signal) {
    // An own controller: a signal that came with the incoming request is ignored for subrequests on Workers.
    const abort = new AbortController()
    const leave = () => abort.abort(signal.reason)
    if (signal.aborted) throw signal.reason
    signal.addEventListener('abort', leave, { once: true })
    const response = await send(request.url, {
      method: request.method,
      headers: request.headers,
      ...(request.method === 'POST' && { body: concat(request.body) as Uint8Array<ArrayBuffer> }),
      redirect: 'manual',
      signal: abort.signal,
    }).catch((error: unknown) => {
      throw signal.aborted ? signal.reason : unreachable(error, request.url)
    })
    return {
      status: response.status,
      headers: Object.fromEntries(response.headers),
      body: bodyOf(response.body, signal),
    }
  }
}

function bodyOf(body: ReadableStream<Uint8Array> | null, signal: AbortSignal): Pump {
  const reader = body?.getReader()
  let wake: (() => void) | undefined
  let paused = false
  let over = false
  const pump = new Pump({
    pause() {
      paused = true
    },
    resume() {
      paused = false
      wake?.()
    },
    cancel(reason) {
      over = true
      wake?.()
      void reader?.cancel(reason).catch(() => {})
    },
  })
  const onAbort = () => {
    pump.break(signal.reason)
    over = true
    void reader?.cancel(signal.reason).catch(() => {})
  }
  signal.addEventListener('abort', onAbort, { once: true })
  // The client may have left between the answer's coming and its being read: nobody would tell again.
  if (signal.aborted) onAbort()

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
  run()
    .catch((error: unknown) => pump.break(signal.aborted ? signal.reason : brokenOff(error)))
    .finally(() => signal.removeEventListener('abort', onAbort))
  return pump
}

function unreachable(error: unknown, url: string): GatewayError {
  return new GatewayError('network', `The upstream at ${new URL(url).host} can't be reached.`, { cause: error })
}

function brokenOff(error: unknown): GatewayError {
  return new GatewayError('network', 'The connection to the upstream broke.', {
    cause: error,
    code: 'upstream_stream_truncated',
  })
}
