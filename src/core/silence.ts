import type { Clock } from './clock.ts'
import type { ByteStream, Emit } from './stream.ts'

export interface Silence {
  readonly clock: Clock
  readonly ms: number
  /** Looks a period: a silence of `ms` is noticed within a `looks`-th part more. */
  readonly looks: number
  readonly onSilence: (emit: Emit) => void
}

/**
 * Calls `onSilence` whenever `stream` has said nothing for `ms`. A chunk costs one assignment and no timer; a reader
 * that isn't reading is no fault of the stream.
 */
export function watchSilence(stream: ByteStream, { clock, ms, looks, onSilence }: Silence): ByteStream {
  let quiet = 0
  let paused = false
  let cancel = () => {}
  const look = (emit: Emit) => {
    cancel = clock.after(ms / looks, () => look(emit))
    quiet = paused ? 0 : quiet + 1
    if (quiet <= looks) return
    quiet = 1
    onSilence(emit)
  }
  return {
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
      look((bytes) => sink.chunk(bytes))
      stream.pipe({
        chunk(bytes) {
          quiet = 0
          sink.chunk(bytes)
        },
        end() {
          cancel()
          sink.end()
        },
        fail(error) {
          cancel()
          sink.fail(error)
        },
      })
    },
  }
}
