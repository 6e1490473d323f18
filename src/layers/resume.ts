import { closeSteps, discard, isStream, type StreamBody } from '../core/answer.ts'
import type { Call, Layer, Upstream } from '../core/call.ts'
import type { Begun, Continuing } from '../core/continuing.ts'
import type { StreamReader } from '../core/operation.ts'
import type { Target } from '../core/plan.ts'
import { Pump } from '../core/pump.ts'
import type { Services } from '../core/services.ts'
import { staged } from '../core/stages.ts'
import type { ByteSink, Stage } from '../core/stream.ts'
import { concat } from '../wire/block.ts'
import { headerValue } from '../wire/headers.ts'
import { isObject, type JsonObject, tryParse } from '../wire/json.ts'
import { comment, done, EventReader, frame, type ServerEvent } from '../wire/sse.ts'

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
        isStream(answer.body) ? { ...answer, body: joined(answer.body, continuing, next, call, services) } : answer,
      )
    }

/** One stream for the client: `first`, and where that breaks off, the parts that others write. */
function joined(
  first: StreamBody,
  continuing: Continuing,
  next: Upstream,
  call: Call,
  { clock, log }: Needed,
): StreamBody {
  const { operation, plan, trace } = call
  /** The part that is being read, and its reader; no part between two of them. */
  let part: StreamBody | undefined = first
  let reader: StreamReader | undefined
  let { target } = call
  /** What the current part continues; undefined in the first one. */
  let begun: Begun | undefined
  /** White space that the client has already, and that the current part must write again. */
  let repeated = ''
  let text = ''
  /** Tokens of the text: an event has one, or more if the server joins them. */
  let tokens = 0
  /** Those up to the last one that is more than white space. */
  let inked = 0
  /** What all chunks of an answer have in common, from the first one. */
  let head: JsonObject | undefined
  /** Why nobody can go on. */
  let obstacle: string | undefined
  /** The event that says what broke the stream. */
  let broken: Uint8Array = nothing
  let resumes = 0
  let paused = false
  let over = false

  const pump = new Pump({
    start: () => follow(first),
    pause() {
      paused = true
      part?.source.pause()
    },
    resume() {
      paused = false
      part?.source.resume()
    },
    cancel(reason) {
      over = true
      leave()?.source.cancel(reason)
    },
  })
  const silence = silenceOf(first)
  // Between two parts nothing is expected: the wait for the next one has a limit of its own.
  const heard = () => silenceOf(part)?.heard() ?? true
  const onSilence = () => silenceOf(part)?.onSilence()
  return {
    source: pump,
    steps: [{ carried: 'never', ...(silence && { silence: { ...silence, heard, onSilence } }) }],
  }

  /** Reads a part through its steps. */
  function follow(given: StreamBody): void {
    const { source, steps } = given
    part = given
    reader = operation.reader?.()
    const cancel = (reason: unknown) => source.cancel(reason)
    const settle = () => void clock.after(patience, () => cancel('It has said everything.'))
    const end = () => {
      if (part !== given) return
      leave()
      pump.finish()
    }
    // A part never fails: its check makes an event of what breaks it.
    let sink: ByteSink = { chunk: (bytes) => part === given && take(bytes), end, fail: end }
    for (const { stage, watch } of steps.toReversed()) {
      const watching: Stage = {
        chunk(bytes, emit) {
          watch?.see(bytes)
          emit(bytes)
        },
      }
      sink = staged(stage ?? watching, { cancel, settle }, sink)
    }
    source.pipe(sink)
    if (paused) source.pause()
  }

  function leave(): StreamBody | undefined {
    const left = part
    part = undefined
    if (left) closeSteps(left.steps)
    return left
  }

  /** Passes whole events on, up to the one that breaks the stream. */
  function take(bytes: Uint8Array): void {
    const own: Uint8Array[] = []
    let breaks = false
    for (const event of new EventReader().read(bytes)) {
      const one = read(event)
      breaks = !one
      if (!one) break
      own.push(one)
    }
    // The check sends an error apart from the events before it.
    const out = begun ? concat(own) : breaks ? nothing : bytes
    if (out.length > 0) pump.push(out)
    if (!breaks || over) return
    leave()?.source.cancel('It broke.')
    goOn().catch((error) => pump.break(error))
  }

  /** What the client gets of an event that goes on with a text; undefined if the event breaks the stream. */
  function read(event: ServerEvent): Uint8Array | undefined {
    const chunk = tryParse(event.data)
    if (!isObject(chunk)) return event.data.trim() === '[DONE]' ? done : nothing
    const sight = reader?.see(event)
    if (typeof sight === 'object') {
      broken = frame(chunk)
      return undefined
    }
    const { id, created, model, system_fingerprint, choices, usage, ...rest } = chunk
    const given = Array.isArray(choices) ? choices.filter(isObject) : []
    if (given.length > 0) head ??= { id, created, model, system_fingerprint }
    const finishes = sight === 'finish'
    if (finishes) obstacle = 'finish'
    const before = text
    const own = given.map(readChoice)
    if (!begun) return nothing
    if (own.includes(undefined) || (finishes && repeated !== '')) return undefined
    if (!finishes && text === before && !isObject(usage)) return nothing
    return frame({ ...rest, ...head, choices: own, usage: wholeUsage(usage, begun) })
  }

  /** Takes the text of a choice, and returns the choice as it goes on a text; undefined if it can't. */
  function readChoice(choice: JsonObject): JsonObject | undefined {
    const said = choice.index ? undefined : continuing.text(choice)
    if (said === undefined) {
      obstacle = 'more than text'
      return undefined
    }
    const same = Math.min(said.length, repeated.length)
    if (!said.startsWith(repeated.slice(0, same))) return undefined
    repeated = repeated.slice(same)
    const added = said.slice(same)
    text += added
    if (added !== '') tokens++
    if (added.trim() !== '') inked = tokens
    return continuing.withText(choice, added)
  }

  /** Has the rest written by the first deployment that can, or ends the stream with its error. */
  async function goOn(): Promise<void> {
    for (const other of resumes < most ? candidates() : []) {
      if (over) break
      const label = headerValue(other.deployment.label)
      const say = (what: string) =>
        log(`${call.requestId} ${headerValue(target.deployment.label)}: ${what} by ${label}`)
      const beginning = beginningFor(other)
      if (typeof beginning === 'string') {
        say(`not continued (${beginning})`)
        continue
      }
      const answer = await next({ ...call, target: other, begun: beginning }).catch(() => undefined)
      if (!answer || !isStream(answer.body)) continue
      if (over) return discard(answer)
      say('continued')
      resumes++
      trace.continued = [...(trace.continued ?? []), other.deployment.label]
      begun = beginning
      repeated = text.slice(begun.text.length)
      target = other
      pump.push(comment(`x-samewire-continued: ${label}`))
      return follow(answer.body)
    }
    pump.push(broken)
    pump.finish()
  }

  /** Other deployments of the model before the one that broke off, and those of other models last. */
  function candidates(): readonly Target[] {
    const { why } = target
    const rank = (one: Target) => (one === target ? 1 : one.why === why ? 0 : 2)
    const all = plan.targets.filter((one) => one.why === why || one.why === 'fallback')
    return all.sort((one, other) => rank(one) - rank(other))
  }

  /** What a deployment is to continue, or why it can't. */
  function beginningFor({ deployment: { provider, defaults, overrides } }: Target): Begun | string {
    const continuation = provider.definition.continues?.(provider.settings)[operation.name]
    if (!continuation) return 'unable'
    const { trims, fields = {} } = continuation
    // A template that drops this changes what the model reads, and nothing that comes back would tell.
    if (text === '' || (trims && text.trimStart() !== text)) return 'white space'
    const beginning = { text: trims ? text.trimEnd() : text, tokens: trims ? inked : tokens, fields }
    return obstacle ?? continuing.obstacle({ ...defaults, ...call.body.json, ...overrides }, beginning) ?? beginning
  }
}

const nothing = new Uint8Array(0)

const silenceOf = (part: StreamBody | undefined) => part?.steps.find(({ silence }) => silence)?.silence

/**
 * The usage of all parts: for the last one the text before it was a prompt, for the client it is the answer. The sum
 * stays. What the last part says about its prompt, such as what of it was cached, is not about the client's.
 */
function wholeUsage(usage: unknown, begun: Begun): unknown {
  const {
    prompt_tokens: read,
    completion_tokens: written,
    prompt_tokens_details: _,
    ...rest
  } = isObject(usage) ? usage : {}
  if (typeof read !== 'number' || typeof written !== 'number') return usage
  const moved = Math.min(begun.tokens, read)
  return { ...rest, prompt_tokens: read - moved, completion_tokens: written + moved }
}
