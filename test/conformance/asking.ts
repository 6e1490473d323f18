import type { Config, ModelConfig, ProviderConfig } from '../../src/config/schema.ts'
import { bundle, startWorkerd } from '../bench/workerd.ts'
import { configFile, launch } from '../support/program.ts'
import type { Ask, Got } from './cells.ts'
import type { Route } from './judge.ts'
import { type Target, upstreamKey } from './targets.ts'

/** A request with the model that leads to the upstream's answer. */
export interface Planned {
  readonly ask: Ask
  readonly route: Route
  readonly model: string
}

/** Gathers the providers of one gateway: each answer of an upstream has its own address, hence its own provider. */
export class Plan {
  readonly #providers = new Map<string, [name: string, provider: ProviderConfig]>()
  readonly #models: Record<string, ModelConfig> = {}

  add(target: Target, ask: Ask, route: Route): Planned {
    return { ask, route, model: this.modelFor(target, ask) }
  }

  /** The name that leads to what the upstream answers. `provider`: instead of the target's for it. */
  modelFor(target: Target, ask: Pick<Ask, 'upstream' | 'model'>, provider = target.provider(ask.upstream)): string {
    const key = JSON.stringify(provider)
    const [name] = this.#providers.get(key) ?? [`p${this.#providers.size}`]
    this.#providers.set(key, [name, provider])
    const model = `${name}/${ask.model ?? target.model}`
    if (!target.supports) return model
    const declared = `declared/${model}`
    this.#models[declared] = { deployments: [{ model, supports: target.supports }] }
    return declared
  }

  get config(): Config {
    return {
      providers: Object.fromEntries(this.#providers.values()),
      models: this.#models,
      retries: 0,
      cooldown: false,
      // How long answers take depends on what else the machine does, and is not what is asked.
      ...{ keepAlive: 120, connectTimeout: 60 },
    }
  }
}

export interface Gateway {
  readonly baseURL: string
  close(): Promise<void>
}

/** Starts the gateway as `npm start` does. */
export async function startGateway(config: Config, env: Readonly<Record<string, string>>): Promise<Gateway> {
  const file = await configFile(config)
  const gateway = launch(['--config', file.path], { ...upstreamKey, ...env })
  const [, baseURL = ''] = await gateway.until(/listens on (\S+)/)
  return {
    baseURL,
    async close() {
      gateway.signal('SIGTERM')
      await gateway.ended
      await file.remove()
    },
  }
}

/** Starts the same as a Worker, in workerd itself. `name` is that of its bundle. */
export async function startWorker(
  name: string,
  config: Config,
  env: Readonly<Record<string, string>>,
): Promise<Gateway> {
  const built = await bundle(name, 'src/worker.ts')
  const bindings = { ...upstreamKey, ...env, SAMEWIRE_CONFIG: JSON.stringify(config) }
  const worker = await startWorkerd(name, built, bindings)
  return { baseURL: `http://127.0.0.1:${worker.port}/v1`, close: () => worker.stop() }
}

/** Sends one request, and reads all of its answer. */
export async function send(baseURL: string, { ask, route, model }: Planned): Promise<Got> {
  const { path = route.path, encoded } = ask
  const url = baseURL + path.replace('{model}', encoded ? encodeURIComponent(model) : model)
  const response = await fetch(url, requestOf(ask, model))
  return {
    status: response.status,
    headers: response.headers,
    text: await response.text(),
    streamed: response.headers.get('content-type')?.startsWith('text/event-stream') ?? false,
  }
}

function requestOf({ body, form }: Ask, model: string): RequestInit {
  if (form) return { method: 'POST', body: formOf({ model, ...form }) }
  if (body === undefined) return {}
  const text = typeof body === 'string' ? body : JSON.stringify({ ...body, model })
  return { method: 'POST', headers: { 'content-type': 'application/json' }, body: text }
}

function formOf(fields: Readonly<Record<string, string | Blob>>): FormData {
  const form = new FormData()
  for (const [name, value] of Object.entries(fields)) form.append(name, value)
  return form
}
