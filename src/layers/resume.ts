import { closeSteps, discard, isStream, type StreamBody } from '../core/answer.ts'
import type { Call, Layer, Upstream } from '../core/call.ts'
import type { Begun, Continuing } from '../core/continuing.ts'
import type { StreamReader } from '../core/operation.ts'
import type { Target } from '../core/plan.ts'
import { Pump } from '../core/pump.ts'
import type { Services } from '../core/services.ts'
import { staged } from '../core/stages.ts'
import type { ByteSink, Step } from '../core/stream.ts'
import { concat } from '../wire/block.ts'
import { headerValue } from '../wire/headers.ts'
import { isObject, type JsonObject, tryParse } from '../wire/json.ts'
import { comment, EventReader, eventEnd, frame } from '../wire/sse.ts'

type Needed = Pick<Services, 'clock' | 'log'>

/** How often a stream is continued. Whatever breaks it again would most likely do so once more. */
const most = 2
/** Milliseconds in which a source that has said everything may end, which keeps its connection. */
const patience = 1_000

/**
 * Continues a stream that breaks off after its first content, for models with `resume`: the text so far goes to a
 * deployment that goes on with it exactly, and the client gets one stream, with a comment at the seam. What is more than
 * text isn't continued: that stream ends with its error, as without this layer.
 */
export const resume =
  (services: Needed): Layer =>
  (next) =>
    function resumable(call) {
      const { continuing } = call.operation
      if (!call.streams || !call.target.limits.resume || !continuing) return next(call)
      return next(call).then((answer) =>
        isStream(answer.body)
          ? { ...answer, body: new Resumption(next, call, continuing, services).body(answer.body) }
          : answer,
      )
    }

/** One stream for the client, of parts from several deployments. */
class Resumption {
  readonly #next: Upstream
  readonly #call: Call
  readonly #continuing: Continuing
  readonly #services: Needed
  readonly #pump = new Pump({
    start: () => this.#follow(),
    pause: () => this.#hold(true),
    resume: () => this.#hold(false),
    cancel: (reason) => this.#cancel(reason),
  })
  /** The part that is being read; undefined between two parts. */
  #part: StreamBody | undefined
  #reader: StreamReader | undefined
  #target: Target
  /** What the current part continues; undefined in the first one. */
  #begun: Begun | undefined
  /** White space that the client has already, and that the current part must write again. */
  #repeated = ''
  #text = ''
  /** Tokens of the text: an event has one, or more if the server joins them. */
  #tokens = 0
  /** Those up to the last one that is more than white space. */
  #inked = 0
  /** What all chunks of an answer have in common, from the first one. */
  #head: JsonObject | undefined
  /** Whether there is nothing but one text so far. */
  #plain = true
  #finished = false
  /** The event that says what broke the stream. */
  #error: Uint8Array | undefined
  #resumes = 0
  #paused = false
  #over = false

  constructor(next: Upstream, call: Call, continuing: Continuing, services: Needed) {
    this.#next = next
    this.#call = call
    this.#continuing = continuing
    this.#services = services
    this.#target = call.target
  }

  /** The stream that begins with `first`. */
  body(first: StreamBody): StreamBody {
    this.#part = first
    const silence = silenceOf(first)
    // Between two parts nothing is expected: the wait for the next one has a limit of its own.
    const heard = () => silenceOf(this.#part)?.heard() ?? true
    const onSilence = () => silenceOf(this.#part)?.onSilence()
    const step: Step = { carried: 'never', ...(silence && { silence: { ...silence, heard, onSilence } }) }
    return { source: this.#pump, steps: [step] }
  }

  /** Reads the current part, through its steps. */
  #follow(): void {
    const part = this.#part
    if (!part) return
    const { source, steps } = part
    this.#reader = this.#call.operation.reader?.()
    const cancel = (reason: unknown) => source.cancel(reason)
    const settle = () => void this.#services.clock.after(patience, () => cancel('It has said everything.'))
    const end = () => {
      if (this.#part !== part) return
      this.#leave()
      this.#pump.finish()
    }
    // A part never fails: its check makes an event of what breaks it.
    let sink: ByteSink = { chunk: (bytes) => this.#part === part && this.#take(bytes), end, fail: end }
    for (const { stage, watch } of steps.toReversed()) {
      const outer = sink
      if (stage) sink = staged(stage, { cancel, settle }, outer)
      else if (watch) {
        const chunk = (bytes: Uint8Array) => {
          watch.see(bytes)
          outer.chunk(bytes)
        }
        sink = { ...outer, chunk }
      }
    }
    source.pipe(sink)
    if (this.#paused) source.pause()
  }

  /** Passes whole events on, up to the one that breaks the stream. */
  #take(bytes: Uint8Array): void {
    const out: Uint8Array[] = []
    let broken = false
    for (let at = 0; at < bytes.length && !broken; ) {
      const end = eventEnd(bytes, at)
      const event = this.#event(bytes.subarray(at, end))
      if (event) out.push(event)
      else broken = true
      at = end
    }
    const whole = concat(out)
    if (whole.length > 0) this.#pump.push(whole)
    if (!broken || this.#over) return
    this.#leave()?.source.cancel('Another deployment goes on.')
    this.#resume().catch((error) => this.#pump.break(error))
  }

  /** What the client gets of an event; undefined if it breaks the stream. */
  #event(bytes: Uint8Array): Uint8Array | undefined {
    const [event] = new EventReader().read(bytes)
    const chunk = event && tryParse(event.data)
    if (!event || !isObject(chunk)) return bytes
    const sight = this.#reader?.see(event)
    if (typeof sight === 'object') {
      this.#error = bytes
      return undefined
    }
    const { id, created, model, system_fingerprint, choices, usage, ...rest } = chunk
    const given = Array.isArray(choices) ? choices.filter(isObject) : []
    if (given.length > 0) this.#head ??= { id, created, model, system_fingerprint }
    const finishes = sight === 'finish'
    this.#finished ||= finishes
    const before = this.#text
    const told = given.map((choice) => this.#choice(choice))
    if (!this.#begun) return bytes
    if (told.includes(undefined) || (finishes && this.#repeated !== '')) return undefined
    if (!finishes && this.#text === before && !isObject(usage)) return nothing
    return frame({ ...rest, ...this.#head, choices: told, usage: this.#usage(usage) })
  }

  /** Takes the text of a choice, and returns the choice as it goes on a text; undefined if it can't. */
  #choice(choice: JsonObject): JsonObject | undefined {
    const said = choice.index ? undefined : this.#continuing.text(choice)
    if (said === undefined) {
      this.#plain = false
      return undefined
    }
    const same = Math.min(said.length, this.#repeated.length)
    if (said.slice(0, same) !== this.#repeated.slice(0, same)) return undefined
    this.#repeated = this.#repeated.slice(same)
    const text = said.slice(same)
    this.#text += text
    if (text !== '') this.#tokens++
    if (text.trim() !== '') this.#inked = this.#tokens
    return this.#continuing.withText(choice, text)
  }

  /**
   * The usage of all parts: for the last one the text before it was a prompt, for the client it is the answer. The sum
   * stays. What the last part says about its prompt, such as what of it was cached, is not about the client's.
   */
  #usage(usage: unknown): unknown {
    if (!isObject(usage)) return usage
    const { prompt_tokens: read, completion_tokens: written, prompt_tokens_details: _, ...rest } = usage
    if (typeof read !== 'number' || typeof written !== 'number') return usage
    const moved = Math.min(this.#begun?.tokens ?? 0, read)
    return { ...rest, prompt_tokens: read - moved, completion_tokens: written + moved }
  }

  /** Has the rest written by the first deployment that can, or ends the stream with its error. */
  async #resume(): Promise<void> {
    const { requestId, signal, trace } = this.#call
    const from = headerValue(this.#target.deployment.label)
    const log = (what: string) => this.#services.log(`${requestId} ${from}: broke off; ${what}`)
    for (const target of this.#resumes < most ? this.#candidates() : []) {
      if (this.#over || signal.aborted) break
      const label = headerValue(target.deployment.label)
      const begun = this.#beginningFor(target)
      if (typeof begun === 'string') {
        log(`not continued by ${label} (${begun})`)
        continue
      }
      const answer = await this.#next({ ...this.#call, target, begun }).catch(() => undefined)
      if (!answer || !isStream(answer.body)) continue
      if (this.#over) return discard(answer)
      this.#resumes++
      trace.continued = [...(trace.continued ?? []), target.deployment.label]
      log(`continued by ${label}`)
      this.#begun = begun
      this.#repeated = this.#text.slice(begun.text.length)
      this.#target = target
      this.#part = answer.body
      this.#pump.push(comment(`x-samewire-continued: ${label}`))
      this.#follow()
      return
    }
    if (this.#error) this.#pump.push(this.#error)
    this.#pump.finish()
  }

  /** Other deployments of the model before the one that broke off, and those of other models last. */
  #candidates(): readonly Target[] {
    const { why } = this.#target
    const rank = (target: Target) => (target === this.#target ? 1 : target.why === why ? 0 : 2)
    const all = this.#call.plan.targets.filter((target) => target.why === why || target.why === 'fallback')
    return all.sort((one, other) => rank(one) - rank(other))
  }

  /** What a deployment is to continue, or why it can't. */
  #beginningFor({ deployment: { provider, defaults, overrides } }: Target): Begun | string {
    const continuation = provider.definition.continues?.(provider.settings)[this.#call.operation.name]
    if (!continuation) return 'it can’t'
    if (!this.#plain || this.#text === '') return 'not only text'
    if (this.#finished) return 'finished'
    const { trims, fields = {} } = continuation
    // A template that drops this changes what the model reads, and nothing that comes back would tell.
    if (trims && this.#text.trimStart() !== this.#text) return 'white space'
    const begun = trims
      ? { text: this.#text.trimEnd(), tokens: this.#inked, fields }
      : { text: this.#text, tokens: this.#tokens, fields }
    return this.#continuing.obstacle({ ...defaults, ...this.#call.body.json, ...overrides }, begun) ?? begun
  }

  #leave(): StreamBody | undefined {
    const part = this.#part
    this.#part = undefined
    if (part) closeSteps(part.steps)
    return part
  }

  #hold(paused: boolean): void {
    this.#paused = paused
    if (paused) this.#part?.source.pause()
    else this.#part?.source.resume()
  }

  #cancel(reason: unknown): void {
    this.#over = true
    this.#leave()?.source.cancel(reason)
  }
}

const nothing = new Uint8Array(0)

const silenceOf = (part: StreamBody | undefined) => part?.steps.find(({ silence }) => silence)?.silence
