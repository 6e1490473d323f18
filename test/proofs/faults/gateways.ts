import { mkdir, writeFile } from 'node:fs/promises'
import type { Config, ModelConfig } from '../../../src/config/schema.ts'
import { npmStart } from '../../bench/processes.ts'
import { bundle, cache, freePort, startWorkerd } from '../../bench/workerd.ts'
import { apiNames } from './apis.ts'
import { hedging, resuming } from './features.ts'
import { primary, spare } from './models.ts'
import { outages } from './outage.ts'
import type { Target } from './target.ts'
import { probe, startNode, type Watched, watch } from './watched.ts'
import { wireNames } from './wires.ts'

const key = 'sk-samewire-faults-key'
/** Seconds: far more than an answer takes here, and short enough for many that never come. */
export const limits = { timeout: 2.5, streamTimeout: 2.5, idleTimeout: 2, retries: 1 }

/** Every model has a first deployment that may fail, and a fallback on the same upstream. */
export async function faultsConfig(upstream: string, overrides: Config = {}): Promise<Config> {
  const closed = `http://127.0.0.1:${await freePort()}`
  const model = (provider: string, more: Partial<Exclude<ModelConfig, string>> = {}, name: string = primary) => ({
    deployments: [`${provider}/${name}`],
    fallbacks: [`openai/${spare}`],
    ...more,
  })
  const observed = { streams: 'observed' } as const
  const campaigns = wireNames.flatMap((wire) => [
    [`campaign-${wire}`, model(wire)],
    [`refused-${wire}`, model(`closed-${wire}`)],
    [`observed-campaign-${wire}`, model(wire, observed)],
    [`observed-refused-${wire}`, model(`closed-${wire}`, observed)],
  ])
  return {
    providers: {
      ...providersAt(upstream),
      ...providersAt(closed, 'closed-'),
      continuing: { type: 'openai-compatible', baseURL: `${upstream}/v1`, continues: 'llamacpp' },
    },
    models: {
      ...Object.fromEntries(campaigns),
      ...Object.fromEntries(outages.map(({ name }) => [`outage-${name}`, model('openai', {}, `${primary}-${name}`)])),
      resume: model('openai', { ...resuming, fallbacks: [`continuing/${spare}`] }, `${primary}-resume`),
      plain: model('openai', {}, `${primary}-plain`),
      hedge: model('openai', hedging, `${primary}-hedge`),
    },
    // Each fault is to be met, not the cooldown after it.
    cooldown: false,
    ...limits,
    ...overrides,
  }
}

function providersAt(address: string, prefix = ''): NonNullable<Config['providers']> {
  return {
    [`${prefix}openai`]: { type: 'openai-compatible', baseURL: `${address}/v1` },
    [`${prefix}huggingface`]: { type: 'huggingface', apiKey: 'env:FAULTY_KEY', baseURL: `${address}/huggingface/v1` },
    [`${prefix}ollama`]: { type: 'ollama', baseURL: `${address}/ollama` },
    [`${prefix}anthropic`]: { type: 'anthropic', apiKey: 'env:FAULTY_KEY', baseURL: `${address}/anthropic` },
    [`${prefix}gemini`]: { type: 'gemini', apiKey: 'env:FAULTY_KEY', baseURL: `${address}/gemini` },
    [`${prefix}responses`]: { type: 'openai-compatible', baseURL: `${address}/v1`, responses: 'native' },
  }
}

/** The environment that the configuration needs. */
export const environment = { SAMEWIRE_KEY: key, FAULTY_KEY: 'hf_faulty' }

/** How a client names the models. `observed`: a Worker's runtime pipes their streams by itself. */
export function routes(observed = false): Target['route'] {
  return (purpose, wire) => {
    const byWire = purpose === 'campaign' || purpose === 'refused'
    return { model: byWire ? `${observed ? 'observed-' : ''}${purpose}-${wire}` : purpose }
  }
}

export type Runtime = 'node' | 'workerd'

/** The circuit breakers as they are by default; without them every fault of a campaign is met. */
export const withCooldown: Config = { cooldown: {} }

/** Starts the gateway as it is deployed, in its own process. */
export async function startOn(runtime: Runtime, upstream: string, overrides: Config = {}): Promise<Target> {
  const config = JSON.stringify(await faultsConfig(upstream, overrides))
  const process = await (runtime === 'node' ? startSamewire(config) : startWorker(config))
  const name = `samewire on ${runtime === 'node' ? 'Node' : 'workerd'}`
  const url = `http://127.0.0.1:${process.port}`
  return { name, url, key, route: routes(), process, apis: apiNames, blind: runtime === 'workerd' }
}

async function startSamewire(config: string): Promise<Watched> {
  await mkdir(cache, { recursive: true })
  const file = `${cache}/faults.json`
  await writeFile(file, config)
  const [node, ...args] = npmStart('--port', '0', '--config', file)
  return await startNode({
    name: 'node',
    command: [node, ...probe, ...args],
    env: environment,
    port: /127\.0\.0\.1:(\d+)/,
  })
}

async function startWorker(config: string): Promise<Watched> {
  const bindings = { ...environment, SAMEWIRE_CONFIG: config }
  return watch(await startWorkerd('workerd', await bundle('faults', 'src/worker.ts'), bindings, null))
}
