import type { Trace } from './core/call.ts'
import type { Joined } from './core/join.ts'
import type { RequestLimits } from './core/preferences.ts'
import type { Services } from './core/services.ts'
import { Abort } from './core/signal.ts'
import type { Message, Socket } from './core/socket.ts'
import type { Gateway } from './gateway.ts'
import { Chain } from './operations/responses/chain.ts'
import {
  cancelEvent,
  createEvent,
  errorEvent,
  inLane,
  Progress,
  requestIn,
} from './operations/responses/socket-events.ts'
import { warmedUp } from './operations/responses/warm-up.ts'
import { responses } from './operations/responses.ts'
import { createReport } from './report.ts'
import { retryHeaders } from './retry-headers.ts'
import { tooLarge } from './runtime/body-limit.ts'
import { SocketDelivery } from './runtime/socket-delivery.ts'
import { parseBody, type RequestBody } from './wire/body.ts'
import { asGatewayError, describeCause, GatewayError } from './wire/errors.ts'
import type { JsonObject } from './wire/json.ts'

/** What was said when the WebSocket was opened, and counts for each of its requests. */
export interface Caller {
  readonly bearer: string | undefined
  readonly hops: number
  readonly session: string | undefined
  readonly limits: RequestLimits | undefined
}

export interface SessionOptions {
  readonly gateway: Gateway
  readonly services: Pick<Services, 'clock' | 'random' | 'log' | 'onTrace'>
  readonly nextId: () => string
  /** Bytes. */
  readonly bodyLimit: number
}

/** A request that is being answered. */
interface Running {
  readonly signal: Abort
  readonly progress: Progress
}

/** Requests that may wait for the one before them, as OpenAI has it. */
const mostWaiting = 16

const encoder = new TextEncoder()

/** A client that creates responses over its WebSocket, one after the other. */
export class ResponsesSession implements Joined {
  readonly #client: Socket
  readonly #caller: Caller
  readonly #options: SessionOptions
  readonly #chain = new Chain()
  readonly #waiting: Message[] = []
  #isBusy = false
  #running: Running | undefined
  #delivery: SocketDelivery | undefined

  constructor(client: Socket, caller: Caller, options: SessionOptions) {
    this.#client = client
    this.#caller = caller
    this.#options = options
    client.listen({
      message: (message) => this.#receive(message),
      drained: () => this.#delivery?.resume(),
      closed: () => {
        this.#waiting.length = 0
        this.#running?.signal.abort(new GatewayError('gone', 'The client left.'))
      },
    })
  }

  close(code: number, reason: string): void {
    this.#client.close(code, reason)
  }

  #receive(message: Message): void {
    const cancel = cancelEvent(message)
    if (cancel) {
      this.#cancel(cancel)
      return
    }
    if (this.#waiting.length >= mostWaiting) {
      const failure = new GatewayError('rate_limit', `No more than ${mostWaiting} requests may wait on one connection.`)
      this.#say(errorEvent(failure, {}))
      return
    }
    this.#waiting.push(message)
    if (!this.#isBusy) void this.#work()
  }

  /** Stops the response that is being made, if it is the one that is named. */
  #cancel({ response_id: id }: JsonObject): void {
    if (!this.#running || (typeof id === 'string' && id !== this.#running.progress.id)) return
    this.#running.signal.abort(new GatewayError('gone', 'The client cancelled its request.'))
  }

  async #work(): Promise<void> {
    this.#isBusy = true
    for (let next = this.#waiting.shift(); next; next = this.#waiting.shift()) await this.#serve(next)
    this.#isBusy = false
  }

  /** Never rejects. */
  async #serve(message: Message): Promise<void> {
    const { services, nextId } = this.#options
    const requestId = nextId()
    const started = services.clock.now()
    const trace: Trace = { attempts: [] }
    const report = createReport(services)
    let event: JsonObject = {}
    let failure: GatewayError | undefined
    try {
      const read = createEvent(message)
      if (!read) return
      event = read
      const asked = this.#chain.extended(requestIn(event))
      const body = this.#read(asked)
      if (event.generate === false) this.#warmUp(asked, event)
      else await this.#create({ body, requestId, trace }, event)
    } catch (thrown) {
      failure = asGatewayError(thrown)
      if (failure.kind === 'internal') services.log(`${requestId} ${describeCause(failure)}`)
      this.#chain.forget(event.previous_response_id)
      this.#say(errorEvent(failure, retryHeaders(failure, trace)), event)
    }
    this.#running = undefined
    report(requestId, started, trace, responses.name, failure)
  }

  #read(asked: JsonObject): RequestBody {
    const { bodyLimit } = this.#options
    const bytes = encoder.encode(JSON.stringify(asked))
    if (bytes.length > bodyLimit) throw tooLarge(bodyLimit)
    const body = parseBody(bytes)
    responses.check(body)
    return body
  }

  async #create(
    request: { readonly body: RequestBody; readonly requestId: string; readonly trace: Trace },
    event: JsonObject,
  ): Promise<void> {
    const { gateway, services } = this.#options
    const running: Running = { signal: new Abort(), progress: new Progress() }
    const { signal, progress } = running
    this.#running = running
    const answer = await gateway.answer({ ...request, ...this.#caller, operation: responses, signal })
    void request.trace.shadow?.()
    this.#delivery = new SocketDelivery({
      clock: services.clock,
      client: signal,
      send: (data) => {
        progress.see(data)
        return this.#say(data, event)
      },
    })
    await this.#delivery.run(answer)
    if (signal.aborted && !progress.ended) return this.#stopped(running, event)
    const { id, status, output } = progress.ended ?? {}
    if (typeof id !== 'string' || status === 'failed') this.#chain.forget(event.previous_response_id)
    else this.#chain.keep(id, request.body.json.input, output)
  }

  #stopped({ signal, progress }: Running, event: JsonObject): void {
    const last = progress.cancelled()
    if (last === undefined) throw signal.reason
    this.#say(last, event)
  }

  /** What a client prepares without wanting an answer yet. */
  #warmUp(asked: JsonObject, event: JsonObject): void {
    const { clock, random } = this.#options.services
    const { id, events } = warmedUp(asked, { random, seconds: Math.floor(clock.now() / 1000) })
    this.#chain.keep(id, asked.input, [])
    for (const one of events) this.#say(JSON.stringify(one), event)
  }

  /** Returns false if the client is behind. */
  #say(data: string, event: JsonObject = {}): boolean {
    return this.#client.send({ data: inLane(data, event), isText: true })
  }
}
