import { type Answer, isStream } from '../core/answer.ts'
import { askedFields } from '../core/asked.ts'
import type { Call, Layer } from '../core/call.ts'
import { readInBand } from '../core/failure.ts'
import type { Omission } from '../core/omission.ts'
import { omissionFor, refuseOmission } from '../core/omitted.ts'
import type { ByteSource, Looker } from '../core/stream.ts'
import type { Fault, StreamReader } from '../core/stream-reader.ts'
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
  const omission = omissionFor(call)
  return new Promise((resolve, reject) => {
    const settle = (outcome: Outcome) => {
      if (outcome === 'content') return resolve()
      const error = 'failure' in outcome ? outcome.failure : failureOf(outcome, call)
      source.cancel(error)
      reject(error)
    }
    source.peek(new Opening(reader, settle, omission && { omission, refuse: () => refuseOmission(omission, call) }))
  })
}

type Outcome = 'content' | Fault | { readonly failure: unknown }

interface Watched {
  readonly omission: Omission
  /** Throws if the stream may not go on without it. */
  readonly refuse: () => void
}

class Opening implements Looker {
  readonly #events = new EventReader()
  readonly #reader: StreamReader
  readonly #settle: (outcome: Outcome) => void
  /** Until it is clear whether something is left out. */
  #watched: Watched | undefined
  #size = 0

  constructor(reader: StreamReader, settle: (outcome: Outcome) => void, watched: Watched | undefined) {
    this.#reader = reader
    this.#settle = settle
    this.#watched = watched
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
        if (typeof sight === 'object') return sight
        if (sight !== 'end' && this.#watched && this.#watch(this.#watched, event)) continue
        if (sight === 'content' || sight === 'finish') return 'content'
        if (sight === 'end') return { wrong: 'ended its stream without any content' }
      }
    } catch (failure) {
      return { failure }
    }
    return undefined
  }

  /** Whether the events so far leave it open if something is left out. */
  #watch({ omission, refuse }: Watched, event: ServerEvent): boolean {
    const seen = omission.see(event)
    if (seen === undefined) return true
    this.#watched = undefined
    if (seen === 'missing') refuse()
    return false
  }
}

function failureOf(fault: Fault, call: Call): GatewayError {
  if ('told' in fault) return readInBand(fault.told, call)
  return new GatewayError('protocol', `${call.target.deployment.provider.name} ${fault.wrong}.`)
}
