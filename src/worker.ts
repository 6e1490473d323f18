import { DurableObject, waitUntil } from 'cloudflare:workers'
import { registry } from '../providers/index.ts'
import config from '../samewire.config.ts'
import type { CacheHost } from './cache/host.ts'
import { ConfigError } from './config/problems.ts'
import type { Environment } from './config/providers.ts'
import type { Config } from './config/schema.ts'
import { limitsAnybody } from './config/state.ts'
import { systemClock } from './core/clock.ts'
import { late } from './core/late.ts'
import { createFetchGateway, type FetchGatewayParts } from './fetch-gateway.ts'
import type { CacheApiOptions } from './runtime/cache-api.ts'
import type { Bindings } from './runtime/fetch-edge.ts'
import type { Delivered } from './workers/queue.ts'

type Built = ReturnType<typeof createFetchGateway>

const send: typeof fetch = (input, init) => fetch(input, init)

/** Files that providers request by name, loaded on first use. */
const assets: Readonly<Record<string, () => Promise<{ default: ArrayBuffer }>>> = {
  'embedded/tiny-chat.gguf': () => import('../providers/embedded/tiny-chat.gguf'),
}

const remedy =
  'This gateway has no key yet, so it lets nobody in. Whoever deployed it sets one with: npx wrangler secret put ' +
  'SAMEWIRE_KEY (for `npm run dev`: a line SAMEWIRE_KEY=… in .dev.vars).'

function build(env: Environment): Built | Promise<Built> {
  const config = configOf(env)
  const cache = (config as Config | null)?.cache as { readonly singleFlight?: boolean } | undefined
  if (cache?.singleFlight && !env.FLIGHTS) throw new ConfigError(['cache.singleFlight: nothing is bound as FLIGHTS'])
  const parts: FetchGatewayParts = {
    config,
    source: env.SAMEWIRE_CONFIG ? 'SAMEWIRE_CONFIG' : 'samewire.config.ts',
    registry,
    env,
    send,
    output: { write: (entry) => console.log(entry), format: 'json' },
    withoutKeys: { mode: 'closed', remedy },
    cacheHost: () => cacheHost(),
    asset: async (name) => {
      const load = assets[name]
      if (!load) throw new Error(`no such asset: ${name}`)
      return new Uint8Array((await load()).default)
    },
  }
  if (!limitsAnybody(config, env)) return createFetchGateway(parts)
  // Nobody is served without the limits meanwhile.
  return keep(config, env, parts)
}

/** Answers are kept in the data centre, and written after they were sent. */
async function cacheHost(generations?: CacheApiOptions['generations']): Promise<CacheHost> {
  const { cacheApiHost } = await import('./runtime/cache-api.ts')
  return cacheApiHost({ cache: caches.default, clock: systemClock, defer: waitUntil, generations })
}

async function keep(config: Config, env: Environment, parts: FetchGatewayParts): Promise<Built> {
  const { openKept } = await import('./workers/keeper.ts')
  return createFetchGateway({
    ...parts,
    ...(await openKept(config, env, { log: console.log, defer: waitUntil, cacheHost })),
  })
}

function configOf({ SAMEWIRE_CONFIG: text }: Environment): Config {
  try {
    return text ? (JSON.parse(text.replace(/^\ufeff/, '')) as Config) : config
  } catch {
    throw new ConfigError(['it is not valid JSON'], 'SAMEWIRE_CONFIG')
  }
}

const misconfigured = late(async () => (await import('./workers/misconfigured.ts')).misconfigured)

let built: Built | Promise<Built> | undefined

/** Each isolate builds one gateway at its first request, because the environment isn't there before. */
function serve(
  request: Request,
  env: Environment,
  execution: Pick<ExecutionContext, 'waitUntil'>,
  bindings: Bindings = {},
): Response | Promise<Response> {
  try {
    built ??= build(env)
  } catch (error) {
    return misconfigured(error)
  }
  const answer = (gateway: Built) => gateway.fetch(request, bindings, execution as ExecutionContext)
  if (!(built instanceof Promise)) return answer(built)
  return built.then(
    (gateway) => {
      built = gateway
      return answer(gateway)
    },
    (error) => {
      built = undefined
      return misconfigured(error)
    },
  )
}

/** Sends a request where it meets others, if it may. */
async function meet(request: Request, env: Environment, execution: ExecutionContext): Promise<Response> {
  const { meeting } = await import('./workers/flights.ts')
  return await meeting(request, env, configOf, (asked) => serve(asked, env, execution))
}

/** The Worker. */
export default {
  fetch(request: Request, env: Environment, execution: ExecutionContext): Response | Promise<Response> {
    return env.FLIGHTS ? meet(request, env, execution) : serve(request, env, execution)
  },

  /** Rows of requests, if a queue is bound. */
  async queue(batch: Delivered, env: Environment): Promise<void> {
    const { writeDelivered } = await import('./workers/queue.ts')
    await writeDelivered(batch, configOf(env), env)
  },
}

/** The Durable Object that keeps limits and budgets of one project, lone key or model, if it is bound. */
export class Meters extends DurableObject {
  readonly #book = import('./workers/meters.ts').then(({ openMeters }) => openMeters(this.ctx.storage))

  async ask(method: string, given: unknown): Promise<unknown> {
    return (await this.#book).ask(method, given)
  }

  override async alarm(): Promise<void> {
    ;(await this.#book).alarm()
  }
}

/** The Durable Object in which requests meet that may share an answer, or go on without their client, if it is bound. */
export class Flights extends DurableObject {
  readonly #place = import('./workers/place.ts').then(({ Place }) => new Place(this.ctx.storage))

  override async fetch(request: Request): Promise<Response> {
    return serve(request, this.env as unknown as Environment, this.ctx, { flights: await this.#place })
  }

  override async alarm(): Promise<void> {
    await (await this.#place).goOn()
  }
}
