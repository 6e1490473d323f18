import type { SlowPath } from './provider.ts'
import type { Services } from './services.ts'

/** Bytes, unpacked, of a list of models, and of one line of a pull's progress. The longest lists have about one MB. */
const bodyLimit = 8 * 1024 * 1024

/** The tools for lists and pulls: their `fetch` follows no redirect, since a key would follow it, and reads no bomb. */
export function slowPath({ fetch, log }: Pick<Services, 'fetch' | 'log'>, signal: AbortSignal): SlowPath {
  return {
    signal,
    log,
    fetch: async (input, init) => bounded(await fetch(input, { ...init, redirect: 'manual' }), bodyLimit),
  }
}

/**
 * The same response, whose body breaks off beyond `limit` bytes of content, counted after decompression. Of a body in
 * lines (`application/x-ndjson`) each line has the limit for itself: such a body may be a report that goes on for hours.
 */
export function bounded(response: Response, limit: number): Response {
  if (!response.body) return response
  const lines = /^application\/x-ndjson/i.test(response.headers.get('content-type') ?? '')
  let size = 0
  const count = new TransformStream<Uint8Array, Uint8Array>({
    transform(bytes, controller) {
      const lineEnd = lines ? bytes.lastIndexOf(10) : -1
      size = lineEnd < 0 ? size + bytes.length : bytes.length - lineEnd - 1
      if (size > limit) throw new Error(`more than ${limit} bytes came`)
      controller.enqueue(bytes)
    },
  })
  const { status, statusText, headers } = response
  return new Response(response.body.pipeThrough(count), { status, statusText, headers })
}
