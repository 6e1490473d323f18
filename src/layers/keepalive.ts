import { type Answer, isStream, type Layer, type Trace } from '../core/call.ts'
import type { Clock } from '../core/clock.ts'
import { Pump } from '../core/stream.ts'
import { asGatewayError, errorEnvelope } from '../wire/errors.ts'
import { comment, frame } from '../wire/sse.ts'

/**
 * Opens a stream with a comment when nothing has come for `ms`, and says so again at every `ms`: proxies and clients
 * give up on silence. From then on the status is 200, and a failure of all rungs becomes an error event.
 */
export const keepAlive =
  ({ clock, ms }: { clock: Clock; ms: number }): Layer =>
  (next) =>
    function keptAlive(call) {
      const pending = next(call)
      if (!call.body.stream) return pending
      return new Promise<Answer>((resolve, reject) => {
        let opened = false
        const cancel = clock.after(ms, () => {
          opened = true
          resolve(openedEarly(pending, call.trace, clock, ms))
        })
        pending.then(
          (answer) => {
            if (!opened) cancel()
            if (!opened) resolve(answer)
          },
          (error) => {
            if (!opened) cancel()
            if (!opened) reject(error)
          },
        )
      })
    }

function openedEarly(pending: Promise<Answer>, trace: Trace, clock: Clock, ms: number): Answer {
  let inner: Extract<Answer['body'], { pipe: unknown }> | undefined
  let paused = false
  const pump = new Pump({
    pause() {
      paused = true
      inner?.pause()
    },
    resume() {
      paused = false
      inner?.resume()
    },
    cancel(reason) {
      cancel()
      inner?.cancel(reason)
    },
  })
  let cancel = () => {}
  const beat = () => {
    pump.push(comment('keep-alive'))
    cancel = clock.after(ms, beat)
  }
  beat()
  pending.then(
    (answer) => {
      cancel()
      // The headers have gone out without it: the body says who answers, here and in `model`.
      pump.push(comment(`x-samewire-model: ${trace.attempts.at(-1)?.deployment}`))
      if (!isStream(answer.body)) {
        pump.push(answer.body)
        return pump.finish()
      }
      inner = answer.body
      inner.pipe({
        chunk: (bytes) => pump.push(bytes),
        end: () => pump.finish(),
        fail: (error) => pump.break(error),
      })
      if (paused) inner.pause()
    },
    (error) => {
      cancel()
      pump.push(frame(errorEnvelope(asGatewayError(error))))
      pump.finish()
    },
  )
  return {
    status: 200,
    headers: { 'content-type': 'text/event-stream; charset=utf-8' },
    body: pump,
  }
}
