import type { Answer } from '../core/answer.ts'
import { Abort } from '../core/signal.ts'
import { brokenOff } from '../core/stopping.ts'
import type { Gateway, GatewayRequest } from '../gateway.ts'
import { responseOf } from '../operations/responses/response.ts'
import { SocketDelivery } from '../runtime/socket-delivery.ts'
import { eventsOf, type ObjectKey } from '../state/objects.ts'
import { edited, type RequestBody } from '../wire/body.ts'
import { asGatewayError, GatewayError } from '../wire/errors.ts'
import { identifier } from '../wire/ids.ts'
import type { JsonObject } from '../wire/json.ts'
import { failed } from './failed.ts'
import { followed } from './followed.ts'
import { seesThoughts } from './items.ts'
import { type Keeping, readable } from './keeping.ts'
import { patience, Recorder } from './recorder.ts'
import { ResponseKeeper, type ResponseRequest } from './responses.ts'
import { objectsIn } from './said.ts'

/** Responses that one process makes at once while nobody waits for them. */
const mostRunning = 64
/** Milliseconds in which those that are broken off can still be written. */
const lastWords = 3_000

interface Job {
  readonly key: ObjectKey
  readonly request: GatewayRequest
  readonly keeper: ResponseKeeper
  /** The response as it began. */
  readonly queued: JsonObject
  /** Aborted when it can't be made any further. */
  readonly making: Abort
  /** Aborted when nobody wants it any more. */
  readonly wanted: Abort
}

/** Makes responses that nobody waits for. One for a process, or for an isolate. */
export class Background {
  readonly #keeping: Keeping
  readonly #isPlaced: boolean
  readonly #jobs = new Map<Job, Promise<void>>()
  /** Those that are being written for the first time. */
  #beginning = 0

  /** `isPlaced`: the runtime goes on only with what is asked in some places (`Flights.stay`), and is each by itself. */
  constructor(keeping: Keeping, isPlaced = false) {
    this.#keeping = keeping
    this.#isPlaced = isPlaced
  }

  /** Whether a response may be made where this request is. */
  canOutlast({ flights }: GatewayRequest): boolean {
    return !this.#isPlaced || flights?.stay !== undefined
  }

  /** Begins one. Resolves with what its client gets meanwhile; rejects with a `GatewayError` if it can't begin. */
  async begin(gateway: Gateway, request: GatewayRequest, asked: ResponseRequest): Promise<Answer> {
    if (this.#jobs.size + this.#beginning >= mostRunning) throw tooMany()
    const { clock, random, objects, seconds } = this.#keeping
    const { json, stream } = request.body
    const keeper = new ResponseKeeper(asked, this.#keeping)
    const head = { id: identifier('resp_', random, 48), created: seconds, model: String(json.model), tier: 'default' }
    const begun = responseOf(json, head, { status: 'in_progress', output: [] })
    const queued = { ...begun, ...keeper.links, status: 'queued', background: true, store: true }
    const key = { owner: asked.owner, kind: 'response', id: head.id } as const
    const now = Math.floor(clock.now())
    const events = ['created', 'queued'].map((name, place) => {
      const type = `response.${name}`
      return { place, id: type, body: { type, sequence_number: place, response: queued } }
    })
    this.#beginning++
    try {
      await readable(async () => {
        await keeper.put(key, queued, now + patience)
        await objects.place({ owner: key.owner, parent: eventsOf(key.id) }, events)
      })
    } finally {
      this.#beginning--
    }
    const job = { key, request, keeper, queued, making: new Abort(), wanted: new Abort() }
    request.trace.record?.goesOn()
    const running = this.#run(gateway, job).finally(() => this.#jobs.delete(job))
    this.#jobs.set(job, running)
    request.flights?.stay?.(running)
    return stream
      ? followed(key, -1, this.#keeping)
      : { status: 200, headers: { 'content-type': 'application/json' }, body: encoder.encode(JSON.stringify(queued)) }
  }

  /** Stops making one that this process makes. In a place of its own it learns of that by itself. */
  stop({ owner, id }: ObjectKey): void {
    if (this.#isPlaced) return
    for (const { key, wanted, making } of this.#jobs.keys()) {
      if (key.owner !== owner || key.id !== id) continue
      wanted.abort('It was cancelled.')
      making.abort(new GatewayError('gone', 'The response was cancelled.'))
    }
  }

  /** Resolves once nothing is being made that is now, or after `ms`. Never rejects. */
  async idle(ms: number): Promise<void> {
    if (this.#jobs.size > 0) await Promise.race([Promise.all(this.#jobs.values()), this.#keeping.wait(ms)])
  }

  /** Breaks off all that is being made, and has that written. Never rejects. */
  async close(): Promise<void> {
    for (const { making } of this.#jobs.keys()) making.abort(brokenOff())
    await Promise.race([Promise.all(this.#jobs.values()), this.#keeping.wait(lastWords)])
  }

  /** Never rejects. */
  async #run(gateway: Gateway, job: Job): Promise<void> {
    const { key, request, keeper, queued, making, wanted } = job
    const { id, created_at, background, store } = queued
    const recorder = new Recorder({
      ...{ key, keeping: this.#keeping, wanted, first: 2 },
      hides: !seesThoughts(request.body.outline.include),
      own: { id, created_at, background, store, ...keeper.links },
    })
    wanted.addEventListener('abort', () => making.abort(new GatewayError('gone', 'The response was cancelled.')))
    const { trace } = request
    let failure: GatewayError | undefined
    try {
      const answered = await gateway.answer({ ...request, body: withoutBackground(request), signal: making })
      const answer = trace.record?.followWork(answered, making) ?? answered
      void this.#begun(key)
      const { clock } = this.#keeping
      await new SocketDelivery({ clock, client: wanted, send: (data) => recorder.take(data) }).run(answer)
    } catch (thrown) {
      failure = asGatewayError(thrown)
      trace.record?.failed(failure)
    }
    await this.#end(job, recorder, failure)
  }

  async #begun(key: ObjectKey): Promise<void> {
    const change = (body: JsonObject) => {
      const response = body.response as JsonObject
      return response.status === 'queued' ? { ...body, response: { ...response, status: 'in_progress' } } : body
    }
    await this.#keeping.write(() => this.#keeping.objects.update(key, change))
  }

  async #end(
    { key, keeper, queued, wanted }: Job,
    recorder: Recorder,
    failure: GatewayError | undefined,
  ): Promise<void> {
    const told = failure ?? new GatewayError('protocol', 'The response broke off.')
    const response = recorder.ended ?? failed(queued, told)
    if (!recorder.ended && !wanted.aborted) recorder.say({ type: 'response.failed', response })
    await recorder.close()
    const { objects } = this.#keeping
    let isWanted = false
    await this.#keeping.write(async () => {
      isWanted = await objects.finish(key, keeper.rowOf(response), objectsIn(response.output))
      // Events may have been written after all else was deleted.
      if (!isWanted && !(await objects.get(key))) await objects.remove(key)
    })
    if (isWanted) await keeper.goOn(response)
  }
}

/** As a stream, with the bound that the request was let in with. */
function withoutBackground({ body, trace }: GatewayRequest): RequestBody {
  const bound = trace.admission?.body.outline.max_output_tokens
  const set = new Map([['stream', 'true']])
  if (typeof bound === 'number') set.set('max_output_tokens', String(bound))
  return edited(body, { set, drop: new Set(['background']) })
}

const encoder = new TextEncoder()

function tooMany(): GatewayError {
  const message = `This gateway makes no more than ${mostRunning} responses in the background at once.`
  return new GatewayError('rate_limit', message)
}
