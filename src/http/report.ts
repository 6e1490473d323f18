import { type Answer, isPending, isStream, whenOver, withStep } from '../core/answer.ts'
import { askedFields } from '../core/asked.ts'
import type { Deployment } from '../core/catalog.ts'
import type { Late } from '../core/late.ts'
import type { Log } from '../core/log.ts'
import type { Operation } from '../core/operation.ts'
import type { Arrival, Observer, Outcome, RequestReport } from '../core/report.ts'
import type { Services } from '../core/services.ts'
import type { Signal } from '../core/signal.ts'
import type { StreamReader } from '../core/stream-reader.ts'
import type { Trace } from '../core/trace.ts'
import type { WorkRecord } from '../core/work-record.ts'
import type { Charge, Pricing } from '../prices/pricing.ts'
import { Block } from '../wire/block.ts'
import type { RequestBody } from '../wire/body.ts'
import { asGatewayError, describeCause, type GatewayError } from '../wire/errors.ts'
import { isObject, type JsonObject, stringAt, tryParse } from '../wire/json.ts'
import { shownText } from '../wire/outline.ts'

export interface Reporting extends Pick<Services, 'clock' | 'log' | 'observer'> {
  /** Says what requests cost; loaded by the first that may cost something. */
  readonly pricing: Late<Pricing>
}

/** Bytes of a stream that are kept for an observer. */
const mostKept = 64 * 1024

/** Has an observer told of requests. Without one nothing is kept or followed. */
export type Reports = (arrival: Arrival) => RequestRecord | undefined

export function createReports(reporting: Reporting): Reports {
  const { observer, log } = reporting
  if (!observer) return () => undefined
  return (arrival) => {
    told(log, () => observer.began?.(arrival))
    return new RequestRecord(arrival, observer, reporting)
  }
}

/** One request until it is over. Filled as things become known. */
export class RequestRecord implements WorkRecord {
  readonly #arrival: Arrival
  readonly #observer: Observer
  readonly #reporting: Reporting
  key: string | undefined
  operation: Operation | undefined
  body: RequestBody | undefined
  /** What its client wrote, as far as it has been read: all that is known of a request that is refused. */
  readonly read: { bytes: number; model: string | undefined } = { bytes: 0, model: undefined }
  #streams = false
  #goesOn = false
  #firstMs: number | undefined
  #whole: Uint8Array | undefined
  #seen: Block | undefined
  #over = false
  #bytesOut = 0
  #onOver = () => {}

  constructor(arrival: Arrival, observer: Observer, reporting: Reporting) {
    this.#arrival = arrival
    this.#observer = observer
    this.#reporting = reporting
    arrival.trace.record = this
  }

  /** What is to be awaited before there is an answer that may cost something. Undefined: nothing, as a rule. */
  get loading(): Promise<unknown> | undefined {
    const { pricing, log } = this.#reporting
    if (pricing.value) return undefined
    return pricing.load().catch((error) => logThrown(log, error))
  }

  /** Lets observers finish their work once the request is over. `afterwards` runs what outlasts the response. */
  outlasting(afterwards: (work: () => Promise<void>) => void): void {
    const { settle } = this.#observer
    if (!settle) return
    const over = new Promise<void>((resolve) => {
      this.#onOver = resolve
    })
    afterwards(() => over.then(settle))
  }

  /** Follows an answer to its end, unless its runtime may carry it because nobody else does. */
  follow(answer: Answer, client: Signal): Answer {
    return this.#goesOn ? answer : this.followWork(answer, client)
  }

  goesOn(): void {
    this.#goesOn = true
  }

  followWork(answer: Answer, client: Signal): Answer {
    const { status, body } = answer
    this.#first()
    if (body instanceof Uint8Array) {
      this.#whole = body
      this.#bytesOut = body.length
      this.#end(status, client.aborted ? 'gone' : 'done')
      return answer
    }
    this.#streams = !this.#goesOn || this.body?.stream === true
    if (
      isStream(body) &&
      !this.#observer.follows &&
      !body.steps.some(({ over, carried }) => over || carried === 'never')
    ) {
      this.#end(status, 'unfollowed')
      return answer
    }
    if (isPending(body)) {
      this.#firstMs = undefined
      void body.pending.then(() => this.#first())
    }
    return whenOver(this.#kept(answer), () => this.#streamEnded(status, client))
  }

  /** Counts what passes of a stream, and keeps it, as far as the observer wants to know. */
  #kept(answer: Answer): Answer {
    const { content, follows } = this.#observer
    if (!content && !follows) return answer
    const kept = content ? new Block(mostKept) : undefined
    this.#seen = kept
    const see = (bytes: Uint8Array) => {
      this.#bytesOut += bytes.length
      if (kept && kept.size + bytes.length <= mostKept) kept.add(bytes)
    }
    return withStep(answer, { watch: { see }, carried: 'watch' })
  }

  /** The request got an error, and nothing else. */
  failed(failure: GatewayError, status = failure.status): void {
    this.#end(status, failure.kind === 'gone' ? 'gone' : 'failed', failure)
  }

  /** It is over, with what was not an answer in one piece: an upgraded connection, a look-up. */
  ended(status: number, outcome: Outcome = 'done'): void {
    if (!this.#goesOn) this.#end(status, outcome)
  }

  #first(): void {
    this.#firstMs = this.#reporting.clock.now() - this.#arrival.started
  }

  #streamEnded(status: number, client: Signal): void {
    const { attempts, failure } = this.#arrival.trace
    const stopped = client.aborted ? asGatewayError(client.reason) : undefined
    if (stopped?.kind === 'gone') this.#end(status, 'gone')
    // The gateway may be ending, too.
    else if (stopped) this.#end(status, 'cut', failure ?? stopped)
    else this.#end(status, failure || attempts.at(-1)?.broke ? 'cut' : 'done')
  }

  #end(status: number, outcome: Outcome, failure = this.#arrival.trace.failure): void {
    if (this.#over) return
    this.#over = true
    const { clock, log } = this.#reporting
    const ms = clock.now() - this.#arrival.started
    const report = () => {
      told(log, () => this.#observer.over(this.#report(status, outcome, failure, ms)))
      // An observer may keep the report for a while, but needs nothing of what it was made from.
      this.#arrival.trace.record = undefined
      this.#onOver()
    }
    // Its client may have left while others get what it pays for.
    const landing = this.#arrival.trace.landing?.()
    if (landing) void landing.then(report)
    else report()
  }

  #report(status: number, outcome: Outcome, failure: GatewayError | undefined, ms: number): RequestReport {
    const { requestId, method, path, started, trace } = this.#arrival
    const served = servedBy(trace)
    const charge = this.#charge(served)
    const user = stringAt(this.body?.outline, 'user')
    // Fields that are spread into it would cost more than all others.
    return {
      requestId,
      method,
      path,
      operation: this.operation?.name,
      model: trace.plan?.requested ?? this.read.model,
      key: this.key,
      asked: this.body && settingsOf(this.body.outline),
      user: user === undefined ? undefined : shownText(user),
      status,
      streams: this.#streams,
      outcome,
      failure,
      trace,
      served,
      started,
      firstMs: this.#firstMs,
      ms,
      tokens: charge?.tokens,
      cost: charge?.cost,
      priceSource: charge?.priceSource,
      bytesIn: this.body?.bytes.length ?? this.read.bytes,
      conclusion: trace.context && (trace.conclusion ?? this.#reader()?.conclusion),
      bytesOut: this.#bytesOut,
      content: this.#observer.content
        ? { request: this.body?.bytes, answer: this.#whole ?? this.#seen?.take() }
        : undefined,
    }
  }

  #reader(): StreamReader | undefined {
    return this.#arrival.trace.attempts.findLast(({ reader }) => reader)?.reader
  }

  #charge(served: Deployment | undefined): Charge | undefined {
    const pricing = this.#reporting.pricing.value
    if (!pricing) return undefined
    const { trace } = this.#arrival
    // Of an answer made of several, only the whole has the tokens of all.
    const several = trace.attempts.filter(({ failure }) => !failure).length > 1
    const summed = several ? this.#usageInWhole() : undefined
    const usage = summed ?? trace.usage ?? this.#reader()?.usage ?? this.#usageInWhole()
    // What is known of a request alone was used only if it was answered.
    const { body, operation } = this
    const pieces = served && body && operation?.pieces?.(askedFields({ target: { deployment: served }, body }), body)
    return pricing.charge(usage, pieces, served)
  }

  /** The usage in an answer that no upstream's exchange has read: one of a provider's own code. */
  #usageInWhole(): JsonObject | undefined {
    const read = this.#whole && this.operation?.usage
    const json = read && tryParse(new TextDecoder().decode(this.#whole))
    return isObject(json) ? this.operation?.usage?.(json) : undefined
  }
}

/** Observers may keep it for a while, so it has nothing of what was said. */
function settingsOf(fields: JsonObject): JsonObject {
  const { messages, input, prompt, contents, system, instructions, tools, ...settings } = fields
  return settings
}

function servedBy({ attempts, plan }: Trace): Deployment | undefined {
  const label = attempts.findLast(({ failure }) => !failure)?.deployment
  if (label === undefined) return undefined
  return plan?.targets.find(({ deployment }) => deployment.label === label)?.deployment
}

function told(log: Log, tell: () => void): void {
  try {
    tell()
  } catch (thrown) {
    logThrown(log, thrown)
  }
}

/** What an observer has thrown. */
export function logThrown(log: Log, thrown: unknown): void {
  log(describeCause(asGatewayError(thrown)), 'error')
}
