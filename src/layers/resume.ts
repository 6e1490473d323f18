import { closeSteps, discard, isStream, type StreamBody } from '../core/answer.ts'
import { askedFields } from '../core/asked.ts'
import type { Call, Layer, Upstream } from '../core/call.ts'
import type { Begun, Continuing } from '../core/continuing.ts'
import type { Plan, Target } from '../core/plan.ts'
import { Pump } from '../core/pump.ts'
import type { Services } from '../core/services.ts'
import { settleTime } from '../core/stages.ts'
import type { Step } from '../core/stream.ts'
import { headerValue } from '../wire/headers.ts'
import { comment } from '../wire/sse.ts'
import { readThrough, silenceOf } from './read-through.ts'
import { Transcript } from './transcript.ts'

/** How often a stream is continued. Whatever breaks it again would most likely do so once more. */
const most = 2

/**
 * Continues a stream that breaks off after its first content, for models with `resume`: the text so far goes to a
 * deployment that goes on with it exactly, and the client gets one stream, with a comment at the seam. What is more than
 * text isn't continued: that stream ends with its error, as without this layer.
 */
export const resume =
  (services: Needed): Layer =>
  (next) =>
    async function resumable(call) {
      const continuing = await call.operation.continuing?.load()
      const answer = await next(call)
      if (!continuing || !isStream(answer.body)) return answer
      return { ...answer, body: new JoinedStream(answer.body, { ...services, call, continuing, next }).body }
    }

type Needed = Pick<Services, 'clock' | 'log'>

interface Means extends Needed {
  readonly call: Call
  /** That of the call's operation. */
  readonly continuing: Continuing
  readonly next: Upstream
}

/** One stream for the client: a first part, and where that breaks off, the parts that others write. */
class JoinedStream {
  readonly body: StreamBody
  readonly #means: Means
  readonly #transcript: Transcript
  readonly #pump: Pump
  /** The part that is being read; none between two of them. */
  #part: StreamBody | undefined
  /** Who writes the current part, or wrote the last one. */
  #target: Target
  #resumes = 0
  #paused = false
  #over = false

  constructor(first: StreamBody, means: Means) {
    this.#means = means
    this.#transcript = new Transcript(means.call.operation, means.continuing, askedFields(means.call))
    this.#part = first
    this.#target = means.call.target
    this.#pump = new Pump({
      start: () => this.#follow(first),
      pause: () => this.#pause(),
      resume: () => this.#unpause(),
      cancel: (reason) => this.#cancel(reason),
    })
    this.body = { source: this.#pump, steps: [this.#step(first)] }
  }

  /** The steps of the parts are run in here, but only who delivers the stream can notice its silence. */
  #step(first: StreamBody): Step {
    const silence = silenceOf(first)
    if (!silence) return { carried: 'never' }
    // Between two parts nothing is expected: the wait for the next one has a limit of its own.
    const heard = () => silenceOf(this.#part)?.heard() ?? true
    const onSilence = () => silenceOf(this.#part)?.onSilence()
    return { carried: 'never', silence: { ...silence, heard, onSilence } }
  }

  #pause(): void {
    this.#paused = true
    this.#part?.source.pause()
  }

  #unpause(): void {
    this.#paused = false
    this.#part?.source.resume()
  }

  #cancel(reason: unknown): void {
    this.#over = true
    this.#leave()?.source.cancel(reason)
  }

  /** Reads a part through its steps. `begun`: what it continues. */
  #follow(part: StreamBody, begun?: Begun): void {
    const { source } = part
    this.#part = part
    this.#transcript.beginPart(begun)
    const cancel = (reason: unknown) => source.cancel(reason)
    const settle = () => void this.#means.clock.after(settleTime, () => cancel('It has said everything.'))
    const end = () => this.#part === part && this.#end()
    // A part never fails: its check makes an event of what breaks it.
    const chunk = (bytes: Uint8Array) => this.#part === part && this.#take(bytes)
    readThrough(part, { chunk, end, fail: end }, { cancel, settle })
    if (this.#paused) source.pause()
  }

  #leave(): StreamBody | undefined {
    const left = this.#part
    this.#part = undefined
    if (left) closeSteps(left.steps)
    return left
  }

  #end(): void {
    this.#leave()
    this.#pump.finish()
  }

  /** Passes whole events on, up to the one that breaks the stream. */
  #take(given: Uint8Array): void {
    const { bytes, breaks } = this.#transcript.take(given)
    if (bytes.length > 0) this.#pump.push(bytes)
    if (!breaks || this.#over) return
    this.#leave()?.source.cancel('It broke.')
    this.#goOn().catch((error) => this.#pump.break(error))
  }

  /** Has the rest written by the first deployment that can, or ends the stream with its error. */
  async #goOn(): Promise<void> {
    const { call, next } = this.#means
    for (const other of this.#resumes < most ? candidates(call.plan, this.#target) : []) {
      if (this.#over) break
      const begun = this.#beginningFor(other)
      if (typeof begun === 'string') {
        this.#say(`not continued (${begun})`, other)
        continue
      }
      const answer = await next({ ...call, target: other, begun }).catch(() => undefined)
      if (!answer || !isStream(answer.body)) continue
      if (this.#over) return discard(answer)
      return this.#join(answer.body, other, begun)
    }
    this.#pump.push(this.#transcript.error)
    this.#pump.finish()
  }

  #join(part: StreamBody, target: Target, begun: Begun): void {
    const { trace } = this.#means.call
    this.#say('continued', target)
    this.#resumes++
    trace.continued = [...(trace.continued ?? []), target.deployment.label]
    this.#target = target
    this.#pump.push(comment(`x-samewire-continued: ${labelOf(target)}`))
    this.#follow(part, begun)
  }

  /** What a deployment is to continue, or why it can't. */
  #beginningFor({ deployment: { provider, model, defaults, overrides } }: Target): Begun | string {
    const { call, continuing } = this.#means
    const continuation = provider.definition.continues?.(provider.settings, model)[call.operation.name]
    if (!continuation) return 'unable'
    const begun = this.#transcript.beginning(continuation)
    if (typeof begun === 'string') return begun
    return continuing.obstacle({ ...defaults, ...call.body.json, ...overrides }, begun) ?? begun
  }

  #say(what: string, by: Target): void {
    const { log, call } = this.#means
    log(`${call.requestId} ${labelOf(this.#target)}: ${what} by ${labelOf(by)}`)
  }
}

/** Who may go on: other deployments of the model before the one that broke off, and those of other models last. */
function candidates({ targets }: Plan, broken: Target): readonly Target[] {
  const { why } = broken
  const rank = (one: Target) => (one === broken ? 1 : one.why === why ? 0 : 2)
  const all = targets.filter((one) => one.why === why || one.why === 'fallback')
  return all.sort((one, other) => rank(one) - rank(other))
}

const labelOf = ({ deployment }: Target) => headerValue(deployment.label)
