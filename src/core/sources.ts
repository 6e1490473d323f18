import { Pump } from './pump.ts'
import type { ByteSource } from './stream.ts'

/** A source of chunks that are already there. */
export function sourceOf(chunks: readonly Uint8Array[]): ByteSource {
  const pump = new Pump({ cancel() {} })
  for (const bytes of chunks) pump.push(bytes)
  pump.finish()
  return pump
}

/** A source for an asynchronous producer, which is read no faster than the consumer reads. */
export function sourceFrom(chunks: AsyncIterator<Uint8Array>): ByteSource {
  let paused = false
  let wake = () => {}
  let stopped = false
  const pump = new Pump({
    start: () => void run(),
    pause() {
      paused = true
    },
    resume() {
      paused = false
      wake()
    },
    cancel() {
      stopped = true
      wake()
      void chunks.return?.()
    },
  })
  const run = async () => {
    try {
      while (!stopped) {
        if (paused) {
          await new Promise<void>((resolve) => {
            wake = resolve
          })
          continue
        }
        const next = await chunks.next()
        if (next.done) return pump.finish()
        pump.push(next.value)
      }
    } catch (error) {
      pump.break(error)
    }
  }
  return pump
}

/** The bytes of a source as they arrive, no faster than they are taken. The source is cancelled if that stops early. */
export async function* chunksOf(source: ByteSource): AsyncGenerator<Uint8Array, void, undefined> {
  const waiting: Uint8Array[] = []
  let outcome: { readonly error?: unknown } | undefined
  let wake = () => {}
  const settle = (how: { readonly error?: unknown }) => {
    outcome = how
    wake()
  }
  source.pipe({
    chunk(bytes) {
      waiting.push(bytes)
      source.pause()
      wake()
    },
    end: () => settle({}),
    fail: (error) => settle({ error: error ?? new Error('The source failed.') }),
  })
  try {
    for (;;) {
      const next = waiting.shift()
      if (next) yield next
      else if (outcome?.error !== undefined) throw outcome.error
      else if (outcome) return
      else {
        source.resume()
        if (waiting.length > 0 || outcome) continue
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    }
  } finally {
    if (!outcome) source.cancel('No more is wanted.')
  }
}
