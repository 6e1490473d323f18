import { type Answer, isPending } from '../../src/core/answer.ts'
import type { Call, Upstream } from '../../src/core/call.ts'
import type { Limits } from '../../src/core/catalog.ts'
import { plainDeployment } from '../../src/core/catalog.ts'
import type { Clock } from '../../src/core/clock.ts'
import type { Plan, Target } from '../../src/core/plan.ts'
import type { Provider, ProviderDefinition } from '../../src/core/provider.ts'
import { type Feed, Pump } from '../../src/core/pump.ts'
import type { ByteSink, ByteSource } from '../../src/core/stream.ts'
import type { AttemptRecord } from '../../src/core/trace.ts'
import { operations } from '../../src/operations/all.ts'
import { openaiOperations } from '../../src/operations/index.ts'
import { beatUntil, type Flow, flow } from '../../src/runtime/flow.ts'
import { parseBody } from '../../src/wire/body.ts'

const encoder = new TextEncoder()
const decoder = new TextDecoder()

export const bytes = (text: string): Uint8Array => encoder.encode(text)
export const textOf = (chunk: Uint8Array): string => decoder.decode(chunk)

/** A sink that records what it receives: chunks as text, `<end>`, `<fail reason>`. */
export class Ear implements ByteSink {
  readonly heard: string[] = []
  readonly #all: Uint8Array[] = []
  /** Called after each chunk. */
  onChunk: (text: string) => void = () => {}

  chunk(chunk: Uint8Array): void {
    const text = textOf(chunk)
    this.#all.push(chunk)
    this.heard.push(text)
    this.onChunk(text)
  }
  end(): void {
    this.#last('<end>')
  }
  fail(error: unknown): void {
    this.#last(`<fail ${error instanceof Error ? error.message : String(error)}>`)
  }
  /** The whole text; single chunks may be cut inside a character. */
  get said(): string {
    return textOf(Buffer.concat(this.#all))
  }
  #last(word: string): void {
    this.heard.push(word)
    this.#all.push(bytes(word))
  }
}

/** A source that records the calls it gets. */
export class NotingSource implements Feed {
  readonly asked: string[] = []
  pause(): void {
    this.asked.push('pause')
  }
  resume(): void {
    this.asked.push('resume')
  }
  cancel(reason: unknown): void {
    this.asked.push(`cancel ${String(reason)}`)
  }
}

export function listenTo(stream: ByteSource): Ear {
  const ear = new Ear()
  stream.pipe(ear)
  return ear
}

/** What a client receives of an answer, as a runtime's edge would deliver it. */
export class Listener {
  readonly ear = new Ear()
  #flow: Flow | undefined
  #paused = false
  #stop = () => {}

  constructor({ body }: Answer, clock: Clock) {
    const follow = (stream: Parameters<typeof flow>[0]) => {
      this.#flow = flow(stream, this.ear, clock)
      if (this.#paused) this.#flow.pause()
    }
    if (body instanceof Uint8Array) throw new Error('the answer is whole')
    if (!isPending(body)) {
      follow(body)
      return
    }
    const { late, stop } = beatUntil(body, clock, (said) => this.ear.chunk(said))
    this.#stop = stop
    void late.then(({ opening, stream }) => {
      this.ear.chunk(opening)
      follow(stream)
    })
  }

  pause(): void {
    this.#paused = true
    this.#flow?.pause()
  }
  resume(): void {
    this.#paused = false
    this.#flow?.resume()
  }
  cancel(reason: unknown): void {
    this.#stop()
    this.#flow?.cancel(reason)
  }
}

/** A provider that answers with an upstream function. */
export function fakeProvider(
  name: string,
  more: Partial<Provider> & { definition?: ProviderDefinition } = {},
): Provider {
  return {
    name,
    definition: { type: 'fake', title: 'Fake' },
    settings: { baseURL: 'http://fake.test', headers: {}, options: {} },
    operations: openaiOperations,
    callersKey: false,
    ...more,
  }
}

export const someLimits: Limits = {
  connectTimeout: 10_000,
  timeout: 600_000,
  streamTimeout: 120_000,
  idleTimeout: 120_000,
  retries: 2,
  streams: undefined,
  routingStrategy: 'simple-shuffle',
  sticky: undefined,
  resume: false,
  thinkTags: undefined,
  textualCalls: true,
}

export function targetOf(provider: Provider, model = 'm', more: Partial<Target> = {}): Target {
  const deployment = plainDeployment(provider, model)
  return { deployment, limits: someLimits, why: 'requested', contextWindow: undefined, ...more }
}

export interface FakeCall {
  readonly targets?: readonly Target[]
  readonly stream?: boolean
  readonly signal?: AbortSignal
  readonly plan?: Partial<Plan>
}

/** A call, as a layer receives it. */
export function callOf({ targets = [targetOf(fakeProvider('p'))], stream = false, signal, plan }: FakeCall = {}): Call {
  const attempts: AttemptRecord[] = []
  return {
    operation: operations.chat,
    body: parseBody(bytes(JSON.stringify({ model: 'm', stream, messages: [] }))),
    streams: stream,
    plan: { requested: 'm', targets, skipped: [], failure: undefined, missing: {}, ...plan },
    target: targets[0] as Target,
    signal: signal ?? new AbortController().signal,
    trace: { attempts },
    bearer: undefined,
    requestId: 'req_test',
    hops: 0,
    deadline: Number.POSITIVE_INFINITY,
  }
}

export const answerOf = (body: ByteSource | Uint8Array): Answer => ({
  status: 200,
  headers: {},
  body: body instanceof Uint8Array ? body : { source: body, steps: [] },
})

/** An upstream that runs the steps in order and repeats the last one; an error thrown is its failure. */
export function upstreamOf(...steps: (() => Answer | Promise<Answer>)[]): Upstream & { calls: Call[] } {
  const calls: Call[] = []
  const upstream = async (call: Call) => {
    const step = steps[Math.min(calls.length, steps.length - 1)]
    calls.push(call)
    return await (step as () => Answer)()
  }
  return Object.assign(upstream, { calls })
}

/** A pump with a recording source. */
export function pumpOf(): { pump: Pump; source: NotingSource } {
  const source = new NotingSource()
  return { pump: new Pump(source), source }
}

/** Runs everything that is ready. */
export async function turns(count = 3): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((next) => setImmediate(next))
}
