import type { Clock } from './clock.ts'
import type { ByteStream, Emit } from './stream.ts'

export interface Silence {
  readonly clock: Clock
  readonly ms: number
  /** Looks a period: a silence of `ms` is noticed within a `looks`-th part more. */
  readonly looks: number
  readonly onSilence: (emit: Emit) => void
  /** What becomes of the watch when the runtime carries the stream, and nothing can be emitted: it goes on, or ends. */
  readonly whenCarried: 'watch' | 'end'
}

/** Milliseconds between two looks at a stream that is carried: what went by is seen late. */
const carriedLook = 1_000

/**
 * Calls `onSilence` whenever `stream` has said nothing for `ms`. A chunk costs one assignment and no timer; a reader
 * that isn't reading is no fault of the stream.
 */
export function watchSilence(stream: ByteStream, silence: Silence): ByteStream {
  const { clock, ms, onSilence, whenCarried } = silence
  let { looks } = silence
  let period = ms / looks
  let quiet = 0
  let paused = false
  let cancel = () => {}
  const look = (emit: Emit) => {
    cancel = clock.after(period, () => look(emit))
    quiet = paused ? 0 : quiet + 1
    if (quiet <= looks) return
    quiet = 1
    onSilence(emit)
  }
  return {
    native: whenCarried === 'end' ? stream.native : undefined,
    pause() {
      paused = true
      stream.pause()
    },
    resume() {
      paused = false
      stream.resume()
    },
    cancel(reason) {
      cancel()
      stream.cancel(reason)
    },
    pipe(sink) {
      cancel()
      const { carry, passed } = sink
      const watching = whenCarried === 'watch'
      let over = false
      const stop = () => {
        over = true
        cancel()
      }
      stream.pipe({
        carry:
          carry &&
          ((rest) => {
            if (!watching) stop()
            period = Math.max(period, carriedLook)
            looks = Math.min(looks, Math.ceil(ms / period))
            return carry(rest)
          }),
        passed: watching
          ? (bytes) => {
              quiet = 0
              if (!bytes) stop()
              passed?.(bytes)
            }
          : passed,
        chunk(bytes) {
          quiet = 0
          sink.chunk(bytes)
        },
        end() {
          stop()
          sink.end()
        },
        fail(error) {
          stop()
          sink.fail(error)
        },
      })
      // Behind what is said or done at once: a timer costs.
      if (!over) look((bytes) => sink.chunk(bytes))
    },
  }
}
