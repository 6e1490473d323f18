import type { Answer } from '../core/answer.ts'
import type { Limits } from '../core/catalog.ts'
import type { Clock } from '../core/clock.ts'
import { bearer as bearerHeader, type Provider } from '../core/provider.ts'
import type { Services } from '../core/services.ts'
import { Abort, type Signal } from '../core/signal.ts'
import type { Step } from '../core/stream.ts'
import { type TraceContext, traceHeaders } from '../core/trace-context.ts'
import type { Rest } from '../core/transport.ts'
import { GatewayError } from '../wire/errors.ts'
import { type HeaderReader, hopsHeader, providerHeader } from '../wire/headers.ts'
import { EndedEarly } from './ended-early.ts'
import { foreignRefusal } from './foreign-refusal.ts'

/** A request that goes to a provider as it is. */
export interface Forwarded {
  readonly provider: Provider
  readonly method: string
  /** Without `/v1`, with the query. */
  readonly path: string
  readonly header: HeaderReader
  /** In pieces. */
  readonly body: readonly Uint8Array[]
  /** What follows `body`. */
  readonly rest?: Rest
  readonly bearer: string | undefined
  readonly hops: number
  readonly signal: Signal
  readonly limits: Limits
  readonly trace?: TraceContext | undefined
}

/** Request headers that go on; never the caller's key for the gateway, cookies, or what a proxy added. */
const sent = [
  'content-type',
  'content-encoding',
  'accept',
  'range',
  'if-none-match',
  'idempotency-key',
  'openai-beta',
  'openai-version',
]
/** Response headers that go back, beside those about limits. */
const returned =
  /^(content-(type|disposition|range|language|length)|accept-ranges|etag|last-modified|location|retry-after(-ms)?|openai-(?!version).*|(x|anthropic)-ratelimit-.*)$/

/** Those of them that say something of the body. */
const ofBody = /^(content-(type|disposition|language|length)|accept-ranges|etag|last-modified)$/

/** Sends a request to a provider and answers with what comes back. Throws if that is an error. */
export async function forward(request: Forwarded, { transport, clock }: Pick<Services, 'transport' | 'clock'>) {
  const { provider, method, path, body, rest, signal, limits } = request
  const { definition, settings } = provider
  if (provider.unavailable) throw new GatewayError('auth', `${provider.name} can't be used: ${provider.unavailable}.`)
  const url = definition.passes ? definition.passes(settings, path) : definition.serve ? '' : settings.baseURL + path
  if (!url) throw new GatewayError('wrong_endpoint', `${definition.title} has no other API to pass requests on to.`)
  const patience = new Patience(clock, limits.timeout, signal, provider.name)
  // How long an upload takes is up to the client.
  if (!rest) patience.start()
  try {
    const response = await transport(
      {
        ...{ name: provider.name, method, url, headers: headersOf(request), connectTimeout: limits.connectTimeout },
        body,
        ...(rest && { rest: { ...rest, sent: () => patience.start() } }),
      },
      patience.attempt,
    )
    patience.stop()
    const { status } = response
    const headers = { ...returnedHeaders(response.headers), [providerHeader]: provider.name }
    if (status >= 400) throw await foreignRefusal(response, request, withoutBody(headers), clock)
    const steps = [
      idle(limits.idleTimeout, patience),
      ...(isEndless(headers) ? [{ watch: new EndedEarly(), carried: 'watch' as const }] : []),
    ]
    return { status, headers, body: { source: response.body, steps } } satisfies Answer
  } catch (error) {
    patience.stop()
    patience.end()
    throw patience.attempt.aborted ? patience.attempt.reason : error
  }
}

function headersOf({ provider, header, bearer, hops, trace }: Forwarded): Record<string, string> {
  const { definition, settings, callersKey, name } = provider
  if (callersKey && bearer === undefined) {
    const message = `Requests to ${name} go with your own API key, and you sent none.`
    throw new GatewayError('unauthorized', message, { code: null })
  }
  const own = callersKey ? { ...settings, apiKey: bearer } : settings
  const kept = sent.flatMap((key) => {
    const value = header(key)
    return value === undefined ? [] : [[key, value] as const]
  })
  return {
    'user-agent': 'samewire',
    ...Object.fromEntries(kept),
    [hopsHeader]: String(hops + 1),
    ...(provider.trace && trace && traceHeaders(trace, trace.spanId)),
    ...(definition.headers ?? bearerHeader)(own),
    ...settings.headers,
  }
}

function returnedHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  const kept = Object.entries(headers).filter(([name]) => returned.test(name))
  const back = Object.fromEntries(kept)
  // It was decoded on the way.
  if (headers['content-encoding'] !== undefined) delete back['content-length']
  const id = headers['x-request-id'] ?? headers['request-id']
  if (id !== undefined) back['x-samewire-upstream-request-id'] = id
  return back
}

/** Whether an answer consists of events, and more of them may follow. */
function isEndless(headers: Readonly<Record<string, string>>): boolean {
  return /^text\/event-stream\b/i.test(headers['content-type'] ?? '') && headers['content-length'] === undefined
}

function withoutBody(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !ofBody.test(name)))
}

/** Ends an answer that sends nothing for `ms`. */
function idle(ms: number, patience: Patience): Step {
  let heard = false
  const silence = {
    ms,
    looks: 4,
    heard() {
      const was = heard
      heard = false
      return was
    },
    onSilence() {
      patience.giveUp('sent nothing more', ms)
      return undefined
    },
  }
  return {
    watch: {
      see() {
        heard = true
      },
    },
    silence,
    over: () => patience.end(),
    carried: 'watch',
  }
}

/** Waits for an answer and, from one piece to the next, for its end. */
class Patience {
  readonly attempt = new Abort()
  readonly #clock: Clock
  readonly #signal: Signal
  readonly #name: string
  readonly #ms: number
  #answered = false
  #cancel = () => {}

  constructor(clock: Clock, ms: number, signal: Signal, name: string) {
    this.#clock = clock
    this.#signal = signal
    this.#name = name
    this.#ms = ms
    if (signal.aborted) this.#leave()
    signal.addEventListener('abort', this.#leave)
  }

  /** All was sent. */
  start(): void {
    if (!this.#answered) this.#cancel = this.#clock.after(this.#ms, () => this.giveUp('did not answer', this.#ms))
  }

  /** The answer has begun, or there will be none. */
  stop(): void {
    this.#answered = true
    this.#cancel()
  }

  /** The answer is over. */
  end(): void {
    this.#signal.removeEventListener('abort', this.#leave)
  }

  giveUp(what: string, ms: number): void {
    this.attempt.abort(new GatewayError('timeout', `${this.#name} ${what} within ${ms / 1000} seconds.`))
  }

  readonly #leave = () => this.attempt.abort(this.#signal.reason)
}
