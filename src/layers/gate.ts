import { type Answer, type Call, isStream, type Layer } from '../core/call.ts'
import { readInBand } from '../core/failure.ts'
import type { Provider } from '../core/provider.ts'
import type { ByteSink, ByteStream } from '../core/stream.ts'
import { GatewayError } from '../wire/errors.ts'
import { isObject, tryParse } from '../wire/json.ts'
import { EventReader, type ServerEvent } from '../wire/sse.ts'

/** Bytes that a stream may send before its first content and still be held back. */
const bound = 256 * 1024

/**
 * Holds a stream until its first content: a 200 that opens with an error, or closes without a word, is a failure that
 * another try can still cure. What was held goes on untouched. The time is bounded by the timeout around it.
 */
export const gate: Layer = (next) =>
  function gated(call) {
    return call.body.stream ? opening(next(call), call) : next(call)
  }

async function opening(pending: Promise<Answer>, call: Call): Promise<Answer> {
  const answer = await pending
  return isStream(answer.body) ? { ...answer, body: await opened(answer.body, call) } : answer
}

function opened(stream: ByteStream, call: Call): Promise<ByteStream> {
  const { limits, deployment } = call.target
  const { provider } = deployment
  const fork = limits.streams === 'checked' ? undefined : stream.fork?.()
  return new Promise((resolve, reject) => {
    const reader = new EventReader()
    const held: Uint8Array[] = []
    let size = 0
    let settled = false
    const refuse = (error: unknown) => {
      if (settled) return
      settled = true
      stream.cancel(error)
      fork?.cancel(error)
      reject(error)
    }
    // How the stream ended, if it did before its reader came: one chunk can bring both content and the end.
    let ending: ((sink: ByteSink) => void) | undefined
    const whole: ByteStream = {
      pause: () => stream.pause(),
      resume: () => stream.resume(),
      cancel(reason) {
        stream.cancel(reason)
        fork?.cancel(reason)
      },
      pipe(sink) {
        const opening = held.splice(0)
        if (fork && sink.carry && !ending) return fork.carry(sink, opening)
        fork?.cancel('It is read from the copy.')
        for (const bytes of opening) sink.chunk(bytes)
        if (ending) ending(sink)
        else stream.pipe(sink)
      },
    }
    const admit = () => {
      if (settled) return
      settled = true
      stream.pause()
      resolve(fork && limits.streams === 'untouched' ? fork.untouched() : whole)
    }
    const judge = (events: readonly ServerEvent[]) => {
      for (const event of events) {
        const verdict = settled ? 'content' : judgeEvent(event)
        if (verdict === 'content') return admit()
        if (verdict === 'broken') return refuse(broken(provider, 'opened its stream with something that is no JSON'))
        if (verdict !== 'nothing') return refuse(readInBand(verdict.error, call))
      }
    }
    stream.pipe({
      chunk(bytes) {
        held.push(bytes)
        size += bytes.length
        if (!settled) judge(reader.read(bytes))
        if (size > bound) admit()
      },
      end() {
        if (!settled) judge(reader.end())
        if (settled) ending = (sink) => sink.end()
        else refuse(broken(provider, 'closed its stream without any content'))
      },
      fail(error) {
        if (settled) ending = (sink) => sink.fail(error)
        else refuse(error)
      },
    })
  })
}

type Verdict = 'nothing' | 'content' | 'broken' | { readonly error: unknown }

function judgeEvent({ data, event }: ServerEvent): Verdict {
  if (data === '' || data === '[DONE]') return 'nothing'
  const chunk = tryParse(data)
  if (chunk === undefined) return 'broken'
  if (!isObject(chunk)) return 'nothing'
  if (chunk.error) return { error: chunk.error }
  if (event === 'error') return { error: chunk }
  const choices = Array.isArray(chunk.choices) ? chunk.choices : []
  return choices.some(hasContent) ? 'content' : 'nothing'
}

/** Anything but a role: text, a tool call, reasoning, audio, or the finish of an answer that is empty. */
function hasContent(choice: unknown): boolean {
  if (!isObject(choice)) return false
  if (choice.finish_reason || choice.text) return true
  const delta = choice.delta
  return isObject(delta) && Object.entries(delta).some(([key, value]) => key !== 'role' && value && isFilled(value))
}

function isFilled(value: unknown): boolean {
  return !Array.isArray(value) || value.length > 0
}

function broken({ name }: Provider, what: string): GatewayError {
  return new GatewayError('protocol', `${name} ${what}.`)
}
