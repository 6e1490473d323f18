import { registry } from '../../providers/index.ts'
import { readGiven } from '../assemble.ts'
import type { Environment } from '../config/providers.ts'
import type { Config } from '../config/schema.ts'
import { limitsAnybody } from '../config/state.ts'
import { once } from '../core/late.ts'
import { createFetchGateway, type FetchGatewayParts } from '../fetch-gateway.ts'
import { hasSockets } from '../runtime/fetch-sockets.ts'
import { errorEnvelope, GatewayError } from '../wire/errors.ts'
import { loadAsset } from './asset.ts'
import { checkState, keep } from './keep.ts'

export { ConfigError } from '../config/problems.ts'
export { type Config, defineConfig } from '../config/schema.ts'

export interface GatewayOptions {
  /**
   * What `env:NAME` in the configuration refers to, and what configures providers and keys without one: `process.env`,
   * `Deno.env.toObject()`, the `env` of a Worker. Default: nothing.
   */
  readonly env?: object
  /** Sends the requests to providers. Default: the global `fetch`. */
  readonly fetch?: typeof fetch
  /** Takes the log's lines, without their line breaks. Default: `console.log`. */
  readonly log?: (line: string) => void
  /**
   * What happens while the configuration and `env` have no key: `keys`, the default, lets nobody in; `open` serves every
   * request whose `Host` is a loopback name or one of `allowedHosts`. Who reaches the gateway is up to the server then.
   */
  readonly access?: 'keys' | 'open'
}

/** A gateway as a function of web standards. It has no port: a server passes it the requests. */
export interface Gateway {
  /**
   * Answers a request, and never rejects. Needs no `this`. The second argument, which differs between servers, is not
   * read. `context` is what a Worker's handler gets: by it work goes on after an answer. Elsewhere it does so anyway.
   */
  readonly fetch: (request: Request, env?: unknown, context?: GatewayContext) => Response | Promise<Response>
  /**
   * Resolves once what the configuration keeps is open, for which requests wait. Rejects with a `ConfigError` if it can't
   * be opened; the next request tries again.
   */
  readonly ready: () => Promise<void>
  /**
   * For the end of a program, which a database keeps from ending: sends the telemetry that waits to be sent, for two seconds
   * at most, and writes what is kept.
   */
  readonly close: () => Promise<void>
}

export interface GatewayContext {
  waitUntil(work: Promise<unknown>): void
}

/** Milliseconds. */
const patience = 2_000

/**
 * Builds a gateway that has all routes of samewire, for any server that takes a `fetch` handler: Bun, Deno, Hono, Workers.
 * WebSockets are for Workers only, and nothing looks for servers on this machine. Throws a `ConfigError`.
 */
export function createGateway(config: Config = {}, options: GatewayOptions = {}): Gateway {
  const { env = {}, fetch: send, log = (line: string) => console.log(line), access = 'keys' } = options
  const parts: FetchGatewayParts = {
    config,
    source: 'The configuration',
    registry,
    env: env as Environment,
    // Looked up for each request: tests and instrumentation replace the global one.
    send: send ?? ((input, init) => fetch(input, init)),
    output: { write: (line) => log(line), format: 'text' },
    withoutKeys: access === 'open' ? { mode: 'open' } : { mode: 'closed', remedy },
    asset: loadAsset,
  }
  const gateway = limitsAnybody(config, parts.env) ? openedFirst(parts) : atOnce(createFetchGateway(parts))
  return { ...gateway, fetch: (request, _env, context) => gateway.fetch(request, execution(context)) }
}

type Built = ReturnType<typeof createFetchGateway>
type Execution = NonNullable<Parameters<Built['fetch']>[2]>

interface Open extends Pick<Gateway, 'ready' | 'close'> {
  fetch(request: Request, execution: Execution): Response | Promise<Response>
}

function atOnce(gateway: Built): Open {
  return {
    fetch: (request, execution) => gateway.fetch(request, {}, execution),
    ready: async () => {},
    close: () => gateway.close(patience),
  }
}

/** One that limits somebody, or keeps something. Throws a `ConfigError` for all that can be known at once. */
function openedFirst(parts: FetchGatewayParts): Open {
  const { config, env, output } = parts
  readGiven(parts)
  checkState(config, env)
  const open = once(async () => {
    try {
      const { parts: own, close } = await keep(config, env, (line) => output.write(line, false))
      const gateway = atOnce(createFetchGateway({ ...parts, ...own }))
      return { ...gateway, close: () => gateway.close().finally(close) }
    } catch (error) {
      output.write(error instanceof Error ? error.message : String(error), true)
      throw error
    }
  })
  let opened: Open | undefined
  const opening = async () => {
    opened = await open()
    return opened
  }
  // What can't be opened is known at the start. A Worker must not begin anything before its first request.
  if (!hasSockets) opening().catch(() => {})
  return {
    fetch: (request, execution) =>
      opened
        ? opened.fetch(request, execution)
        : opening().then((gateway) => gateway.fetch(request, execution), notOpen),
    ready: async () => void (await opening()),
    close: async () => await (await open().catch(() => undefined))?.close(),
  }
}

function notOpen(): Response {
  const message = "What this gateway keeps can't be opened now; its log says why."
  const failure = new GatewayError('overloaded', message, { code: 'store_unavailable', retryAfterMs: 1_000 })
  return Response.json(errorEnvelope(failure), { status: failure.status })
}

const remedy =
  'This gateway has no key yet, so it lets nobody in. Whoever runs it sets SAMEWIRE_KEY in the `env` that createGateway ' +
  "gets, or allows requests without a key by `access: 'open'`."

/** A Worker drops what its context doesn't know of. Other runtimes drop nothing. */
function execution(context: GatewayContext | undefined): Execution {
  if (typeof context?.waitUntil === 'function') return context as Execution
  return { waitUntil() {}, passThroughOnException() {}, props: {} }
}
