import { type Answer, type Call, isStream, type Layer } from '../core/call.ts'
import type { Clock } from '../core/clock.ts'
import { disclosure } from '../core/disclosure.ts'
import { watchSilence } from '../core/silence.ts'
import { type ByteSink, type ByteStream, type Emit, Pump } from '../core/stream.ts'
import { asGatewayError, describeCause, errorEnvelope } from '../wire/errors.ts'
import { comment, frame } from '../wire/sse.ts'

export interface KeepAliveOptions {
  readonly clock: Clock
  readonly ms: number
  readonly log: (message: string) => void
}

/**
 * Opens a stream with a comment when nothing has come for `ms`, and breaks every further silence of that length:
 * proxies and clients give up on it, and Workers notice that a client has left only when they write. From the first
 * comment on the status is 200, and a failure of all targets becomes an error event.
 */
export const keepAlive =
  (options: KeepAliveOptions): Layer =>
  (next) =>
    function keptAlive(call) {
      const pending = next(call)
      if (!call.body.stream) return pending
      return new Promise<Answer>((resolve, reject) => {
        let opened = false
        const cancel = options.clock.after(options.ms, () => {
          opened = true
          resolve(openedEarly(pending, call, options))
        })
        pending.then(
          (answer) => {
            cancel()
            if (!opened) resolve(isStream(answer.body) ? { ...answer, body: talking(answer.body, options) } : answer)
          },
          (error) => {
            cancel()
            if (!opened) reject(error)
          },
        )
      })
    }

function talking(stream: ByteStream, { clock, ms }: KeepAliveOptions): ByteStream {
  const onSilence = (emit: Emit) => emit(comment('keep-alive'))
  return watchSilence(stream, { clock, ms, looks: 1, onSilence, whenCarried: 'end' })
}

function openedEarly(pending: Promise<Answer>, call: Call, options: KeepAliveOptions): Answer {
  const { clock, ms, log } = options
  let inner: ByteStream | undefined
  let reader: ByteSink | undefined
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
      for (const [name, value] of Object.entries(disclosure(call.trace))) pump.push(comment(`${name}: ${value}`))
      if (!isStream(answer.body)) {
        pump.push(answer.body)
        return pump.finish()
      }
      inner = talking(answer.body, options)
      // Straight to the reader where nothing waits before it: only then can the rest be carried.
      const straight = pump.isEmpty ? reader : undefined
      inner.pipe(
        straight ?? {
          chunk: (bytes) => pump.push(bytes),
          end: () => pump.finish(),
          fail: (error) => pump.break(error),
        },
      )
      if (paused) inner.pause()
    },
    (error) => {
      cancel()
      const failure = asGatewayError(error)
      if (failure.kind === 'internal') log(`${call.requestId} ${describeCause(failure)}`)
      pump.push(frame(errorEnvelope(failure)))
      pump.finish()
    },
  )
  return {
    status: 200,
    headers: { 'content-type': 'text/event-stream; charset=utf-8' },
    body: {
      pause: () => pump.pause(),
      resume: () => pump.resume(),
      cancel: (reason) => pump.cancel(reason),
      pipe(sink) {
        reader = sink
        pump.pipe(sink)
      },
    },
  }
}
