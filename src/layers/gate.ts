import { type Answer, isStream } from '../core/answer.ts'
import { askedFields } from '../core/asked.ts'
import type { Call, Layer } from '../core/call.ts'
import { readInBand } from '../core/failure.ts'
import type { Fault, StreamReader } from '../core/operation.ts'
import type { ByteSource, Looker } from '../core/stream.ts'
import { GatewayError } from '../wire/errors.ts'
import { EventReader, type ServerEvent } from '../wire/sse.ts'

/** Maximum bytes held back before a stream's first content; beyond that the stream is passed on. */
const bound = 256 * 1024

/**
 * Holds a stream back until its first content: a 200 that opens with an error or ends without content can then still be
 * retried. The held bytes are passed on unchanged. The timeout layer around it limits the time.
 */
export const gate: Layer = (next) =>
  function gated(call) {
    return call.streams ? opening(next(call), call) : next(call)
  }

async function opening(pending: Promise<Answer>, call: Call): Promise<Answer> {
  const answer = await pending
  const reader = isStream(answer.body) && call.operation.reader?.(askedFields(call))
  if (isStream(answer.body) && reader) await opened(answer.body.source, reader, call)
  return answer
}

/** Resolves when the stream has content. Rejects and cancels the stream if it reports an error or ends first. */
function opened(source: ByteSource, reader: StreamReader, call: Call): Promise<void> {
  return new Promise((resolve, reject) => {
    source.peek(
      new Opening(reader, (outcome) => {
        if (outcome === 'content') return resolve()
        const error = 'failure' in outcome ? outcome.failure : failureOf(outcome, call)
        source.cancel(error)
        reject(error)
      }),
    )
  })
}

type Outcome = 'content' | Fault | { readonly failure: unknown }

class Opening implements Looker {
  readonly #events = new EventReader()
  readonly #reader: StreamReader
  readonly #settle: (outcome: Outcome) => void
  #size = 0

  constructor(reader: StreamReader, settle: (outcome: Outcome) => void) {
    this.#reader = reader
    this.#settle = settle
  }

  chunk(bytes: Uint8Array): boolean {
    this.#size += bytes.length
    const outcome = this.#judge(() => this.#events.read(bytes)) ?? (this.#size > bound ? 'content' : undefined)
    if (outcome) this.#settle(outcome)
    return outcome !== undefined
  }

  end(): void {
    this.#settle(this.#judge(() => this.#events.end()) ?? { wrong: 'closed its stream without any content' })
  }

  fail(failure: unknown): void {
    this.#settle({ failure })
  }

  #judge(read: () => readonly ServerEvent[]): Outcome | undefined {
    try {
      for (const event of read()) {
        const sight = this.#reader.see(event)
        if (sight === 'content' || sight === 'finish') return 'content'
        if (typeof sight === 'object') return sight
        if (sight === 'end') return { wrong: 'ended its stream without any content' }
      }
    } catch (failure) {
      return { failure }
    }
    return undefined
  }
}

function failureOf(fault: Fault, call: Call): GatewayError {
  if ('told' in fault) return readInBand(fault.told, call)
  return new GatewayError('protocol', `${call.target.deployment.provider.name} ${fault.wrong}.`)
}
