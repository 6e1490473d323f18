import { registry } from '../providers/index.ts'
import config from '../samewire.config.ts'
import type { CacheHost } from './cache/host.ts'
import { ConfigError } from './config/problems.ts'
import type { Environment } from './config/providers.ts'
import type { Config } from './config/schema.ts'
import { systemClock } from './core/clock.ts'
import { createFetchGateway } from './fetch-gateway.ts'

type Built = ReturnType<typeof createFetchGateway>

const send: typeof fetch = (input, init) => fetch(input, init)

/** Files that providers request by name, loaded on first use. */
const assets: Readonly<Record<string, () => Promise<{ default: ArrayBuffer }>>> = {
  'embedded/tiny-chat.gguf': () => import('../providers/embedded/tiny-chat.gguf'),
}

const remedy =
  'This gateway has no key yet, so it lets nobody in. Whoever deployed it sets one with: npx wrangler secret put ' +
  'SAMEWIRE_KEY (for `npm run dev`: a line SAMEWIRE_KEY=… in .dev.vars).'

function build(env: Environment): Built {
  const given = env.SAMEWIRE_CONFIG
  return createFetchGateway({
    config: given ? parse(given) : config,
    source: given ? 'SAMEWIRE_CONFIG' : 'samewire.config.ts',
    registry,
    env,
    send,
    output: { write: (entry) => console.log(entry), format: 'json' },
    withoutKeys: { mode: 'closed', remedy },
    cacheHost,
    asset: async (name) => {
      const load = assets[name]
      if (!load) throw new Error(`no such asset: ${name}`)
      return new Uint8Array((await load()).default)
    },
  })
}

/** Answers are kept in the data centre, and written after they were sent. */
async function cacheHost(): Promise<CacheHost> {
  const { waitUntil } = await import('cloudflare:workers')
  const { cacheApiHost } = await import('./runtime/cache-api.ts')
  return cacheApiHost({ cache: caches.default, clock: systemClock, defer: waitUntil })
}

function parse(text: string): Config {
  try {
    return JSON.parse(text.replace(/^\ufeff/, '')) as Config
  } catch {
    throw new ConfigError(['it is not valid JSON'], 'SAMEWIRE_CONFIG')
  }
}

let built: Built | undefined

/** The Worker. Each isolate builds one gateway at its first request, because the environment isn't there before. */
export default {
  fetch(request: Request, env: Environment, execution: ExecutionContext): Response | Promise<Response> {
    try {
      built ??= build(env)
    } catch (error) {
      console.error(error instanceof ConfigError ? error.message : error)
      const message = 'The gateway is misconfigured; its log says where.'
      return Response.json(
        { error: { message, type: 'server_error', param: null, code: 'misconfigured' } },
        { status: 500 },
      )
    }
    return built.fetch(request, env, execution)
  },
}
