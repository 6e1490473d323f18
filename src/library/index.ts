import { registry } from '../../providers/index.ts'
import type { Environment } from '../config/providers.ts'
import type { Config } from '../config/schema.ts'
import { createFetchGateway } from '../fetch-gateway.ts'
import { loadAsset } from './asset.ts'

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
  /** Sends the telemetry that waits to be sent. For the end of a program; takes two seconds at most. */
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
  const gateway = createFetchGateway({
    config,
    source: 'The configuration',
    registry,
    env: env as Environment,
    // Looked up for each request: tests and instrumentation replace the global one.
    send: send ?? ((input, init) => fetch(input, init)),
    output: { write: (line) => log(line), format: 'text' },
    withoutKeys: access === 'open' ? { mode: 'open' } : { mode: 'closed', remedy },
    asset: loadAsset,
  })
  return {
    fetch: (request, _env, context) => gateway.fetch(request, {}, execution(context)),
    close: () => gateway.close(patience),
  }
}

const remedy =
  'This gateway has no key yet, so it lets nobody in. Whoever runs it sets SAMEWIRE_KEY in the `env` that createGateway ' +
  "gets, or allows requests without a key by `access: 'open'`."

type Execution = NonNullable<Parameters<ReturnType<typeof createFetchGateway>['fetch']>[2]>

/** A Worker drops what its context doesn't know of. Other runtimes drop nothing. */
function execution(context: GatewayContext | undefined): Execution {
  if (typeof context?.waitUntil === 'function') return context as Execution
  return { waitUntil() {}, passThroughOnException() {}, props: {} }
}
