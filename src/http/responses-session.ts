import type { Account } from '../core/account.ts'
import { disclosure } from '../core/disclosure.ts'
import type { Joined } from '../core/join.ts'
import type { RequestLimits } from '../core/preferences.ts'
import type { Services } from '../core/services.ts'
import { Abort } from '../core/signal.ts'
import type { Message, Socket } from '../core/socket.ts'
import { brokenOff, shuttingDown } from '../core/stopping.ts'
import type { Trace } from '../core/trace.ts'
import type { Gateway } from '../gateway.ts'
import { Chain } from '../operations/responses/chain.ts'
import { cancelEvent, createEvent, laneIn, Progress, requestIn } from '../operations/responses/socket-events.ts'
import { Reply } from '../operations/responses/socket-reply.ts'
import { warmedUp } from '../operations/responses/warm-up.ts'
import { responses } from '../operations/responses.ts'
import { tooLarge } from '../runtime/body-limit.ts'
import { SocketDelivery } from '../runtime/socket-delivery.ts'
import { parseBody, type RequestBody } from '../wire/body.ts'
import { asGatewayError, describeCause, GatewayError } from '../wire/errors.ts'
import type { HeaderReader } from '../wire/headers.ts'
import type { JsonObject } from '../wire/json.ts'
import type { Reports, RequestRecord } from './report.ts'
import { retryHeaders } from './retry-headers.ts'

/** What was said when the WebSocket was opened, and counts for each of its requests. */
export interface Caller {
  readonly bearer: string | undefined
  readonly key?: string | undefined
  readonly account?: Account | undefined
  readonly hops: number
  readonly session: string | undefined
  readonly limits: RequestLimits | undefined
  /** Reads the headers of the trace to which its requests belong. */
  readonly header: HeaderReader
}

export interface SessionOptions {
  readonly gateway: Gateway
  readonly services: Pick<Services, 'clock' | 'random' | 'log'>
  readonly reports: Reports
  readonly nextId: () => string
  /** Bytes. */
  readonly bodyLimit: number
  /** Whether responses are kept beyond the connection. */
  readonly keeps: boolean
}

/** A request that is being answered. */
interface Running {
  /** Aborted when it is not to be made any further: what there is goes out with the event that says so. */
  readonly making: Abort
  /** Aborted when the client wants no more of it. */
  readonly wanted: Abort
  readonly progress: Progress
}

/** A request to answer. */
interface Asked {
  readonly body: RequestBody
  readonly requestId: string
  readonly trace: Trace
}

/** What waits for its turn. Of requests that are refused only the lane is kept. */
type Waiting = { readonly message: Message } | { readonly refused: string | undefined }

/** Requests that may wait for the one before them, as OpenAI has it. */
const mostWaiting = 16
/** The same with those that are refused, each in its turn: clients without lanes tell answers apart by their order. */
const mostRefused = 64

const encoder = new TextEncoder()

/** A client that creates responses over its WebSocket, one after the other. */
export class ResponsesSession implements Joined {
  readonly #client: Socket
  readonly #caller: Caller
  readonly #options: SessionOptions
  readonly #chain: Chain
  readonly #waiting: Waiting[] = []
  #isBusy = false
  /** Ends the connection once all is answered. */
  #leave: (() => void) | undefined
  #running: Running | undefined
  #delivery: SocketDelivery | undefined

  constructor(client: Socket, caller: Caller, options: SessionOptions) {
    this.#client = client
    this.#caller = caller
    this.#options = options
    this.#chain = new Chain(!options.keeps)
    client.listen({
      message: (message) => this.#receive(message),
      drained: () => this.#delivery?.resume(),
      closed: () => {
        this.#waiting.length = 0
        this.#drop(new GatewayError('gone', 'The client left.'))
      },
    })
  }

  /** Ends the response that is being made, as it would end over HTTP, and refuses those that wait for it. */
  close(code: number, reason: string): void {
    this.#leave = () => this.#client.close(code, reason)
    if (!this.#isBusy) this.#leave()
    else this.#running?.making.abort(this.#running.progress.id === undefined ? shuttingDown() : brokenOff())
  }

  #receive(message: Message): void {
    const cancel = cancelEvent(message)
    if (cancel) {
      this.#cancel(cancel)
      return
    }
    if (this.#waiting.length >= mostRefused) {
      this.#client.close(1008, 'Too many requests wait on this connection.')
      return
    }
    this.#waiting.push(this.#waiting.length < mostWaiting ? { message } : { refused: laneIn(message) })
    if (!this.#isBusy) void this.#work()
  }

  /** Stops the response that is being made, if it is the one that is named. */
  #cancel({ response_id: id }: JsonObject): void {
    if (!this.#running || (typeof id === 'string' && id !== this.#running.progress.id)) return
    this.#drop(new GatewayError('gone', 'The client cancelled its request.'))
  }

  #drop(reason: GatewayError): void {
    this.#running?.wanted.abort(reason)
    this.#running?.making.abort(reason)
  }

  async #work(): Promise<void> {
    this.#isBusy = true
    for (let next = this.#waiting.shift(); next; next = this.#waiting.shift()) {
      if ('message' in next) await this.#serve(next.message)
      else this.#refuse(next.refused)
    }
    this.#isBusy = false
    this.#leave?.()
  }

  #refuse(lane: string | undefined): void {
    const reply = new Reply(this.#send, () => ({ 'x-request-id': this.#options.nextId() }))
    reply.to(lane)
    const message = `No more than ${mostWaiting} requests may wait on one connection.`
    reply.refuse(new GatewayError('rate_limit', message), {})
  }

  /** Never rejects. */
  async #serve(message: Message): Promise<void> {
    const { services, nextId, reports } = this.#options
    const requestId = nextId()
    const started = services.clock.now()
    const trace: Trace = { attempts: [], account: this.#caller.account }
    const { header } = this.#caller
    const record = reports({ requestId, method: 'GET', path: responses.path, header, started, trace })
    if (record) Object.assign(record, { operation: responses, key: this.#caller.key })
    const reply = new Reply(this.#send, () => ({ 'x-request-id': requestId, ...disclosure(trace) }))
    let previous: unknown
    try {
      const event = createEvent(message)
      if (!event) return
      reply.to(event.stream_id)
      if (this.#leave) throw shuttingDown()
      const given = requestIn(event)
      previous = given.previous_response_id
      const asked = this.#chain.extended(given)
      if (asked !== given) reply.after(previous)
      const body = this.#read(asked)
      if (event.generate === false) this.#warmUp(asked, reply)
      else if (!(await this.#create({ body, requestId, trace }, reply, record))) this.#chain.forget(previous)
    } catch (thrown) {
      const failure = asGatewayError(thrown)
      record?.failed(failure)
      if (failure.kind === 'internal') services.log(`${requestId} ${describeCause(failure)}`, 'error')
      this.#chain.forget(previous)
      reply.refuse(failure, retryHeaders(failure, trace))
    }
    this.#running = undefined
    record?.ended(200)
  }

  #read(asked: JsonObject): RequestBody {
    const { bodyLimit } = this.#options
    const bytes = encoder.encode(JSON.stringify(asked))
    if (bytes.length > bodyLimit) throw tooLarge(bodyLimit)
    const body = parseBody(bytes)
    responses.check(body)
    return body
  }

  /** Returns whether there is a response to go on from, or to try again. */
  async #create(request: Asked, reply: Reply, record: RequestRecord | undefined): Promise<boolean> {
    const { gateway, services } = this.#options
    const running: Running = { making: new Abort(), wanted: new Abort(), progress: new Progress() }
    const { making, wanted, progress } = running
    this.#running = running
    if (record) record.body = request.body
    const loading = record?.loading
    if (loading) await loading
    const answered = await gateway.answer({ ...request, ...this.#caller, operation: responses, signal: making })
    const answer = record?.follow(answered, wanted) ?? answered
    void request.trace.shadow?.()
    this.#delivery = new SocketDelivery({
      clock: services.clock,
      client: wanted,
      send: (data) => {
        progress.see(data)
        return reply.say(data)
      },
    })
    await this.#delivery.run(answer)
    if (wanted.aborted && !progress.ended) {
      const last = progress.cancelled()
      if (last === undefined) throw wanted.reason
      reply.say(last)
      return true
    }
    const { id, status, output } = progress.ended ?? {}
    if (typeof id !== 'string' || status === 'failed') return false
    this.#chain.keep(id, request.body.json.input, output)
    return true
  }

  /** What a client prepares without wanting an answer yet. */
  #warmUp(asked: JsonObject, reply: Reply): void {
    const { clock, random } = this.#options.services
    const { id, events } = warmedUp(asked, { random, seconds: Math.floor(clock.now() / 1000) })
    this.#chain.keep(id, asked.input, [])
    for (const one of events) reply.say(JSON.stringify(one))
  }

  readonly #send = (data: string): boolean => this.#client.send({ data, isText: true })
}
