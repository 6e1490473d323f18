import type { SlowPath } from './provider.ts'
import type { Services } from './services.ts'

/** Decompressed bytes of a list of models or of one line of a pull's progress. The longest lists have about one MB. */
const bodyLimit = 8 * 1024 * 1024

/** Tools for lists and pulls: `fetch` limits bodies, and follows no redirects because requests carry the API key. */
export function slowPath({ fetch, log }: Pick<Services, 'fetch' | 'log'>, signal: AbortSignal): SlowPath {
  return {
    signal,
    log,
    fetch: async (input, init) => bounded(await fetch(input, { ...init, redirect: 'manual' }), bodyLimit),
  }
}

/**
 * The same response with a body that fails beyond `limit` bytes, counted after decompression. In a body of lines
 * (`application/x-ndjson`) the limit is for each line, since such a body may report progress for hours.
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
