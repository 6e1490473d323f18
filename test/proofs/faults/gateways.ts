import { mkdir, writeFile } from 'node:fs/promises'
import { setTimeout as wait } from 'node:timers/promises'
import type { Config } from '../../../src/config/schema.ts'
import { type Measured, npmStart, start } from '../../bench/processes.ts'
import { bundle, cache, freePort, startWorkerd } from '../../bench/workerd.ts'
import type { Target } from './campaign.ts'
import { primary, spare } from './upstream.ts'

const key = 'sk-samewire-faults-key'
/** Seconds: far more than an answer takes here, and short enough for many that never come. */
const limits = { timeout: 2, streamTimeout: 2, idleTimeout: 1, retries: 1 }

/** Every model has a first deployment that may fail, and a fallback on the same upstream. */
export async function faultsConfig(upstream: string, overrides: Config = {}): Promise<Config> {
  const closed = `http://127.0.0.1:${await freePort()}/v1`
  const type = 'openai-compatible'
  const model = (provider: string, fallback: string) => ({
    deployments: [`${provider}/${primary}`],
    fallbacks: [`${fallback}/${spare}`],
  })
  return {
    providers: {
      up: { type, baseURL: upstream },
      closed: { type, baseURL: closed },
    },
    models: {
      listening: model('up', 'up'),
      refusing: model('closed', 'up'),
      'observed-listening': { ...model('up', 'up'), streams: 'observed' },
      'observed-refusing': { ...model('closed', 'up'), streams: 'observed' },
    },
    // Each fault is to be met, not the cooldown after it.
    cooldown: false,
    ...limits,
    ...overrides,
  }
}

/** The models of a provider whose streams are checked event by event. */
export const checked = { listening: 'listening', refusing: 'refusing' }
/** The same, with streams that a Worker's runtime pipes by itself. */
export const observed = { listening: 'observed-listening', refusing: 'observed-refusing' }

export type Runtime = 'node' | 'workerd'

/** Starts the gateway as it is deployed, in its own process. */
export async function startOn(runtime: Runtime, upstream: string): Promise<Measured & Pick<Target, 'key'>> {
  const config = JSON.stringify(await faultsConfig(upstream))
  return { ...(await (runtime === 'node' ? startNode(config) : startWorker(config))), key }
}

async function startNode(config: string): Promise<Measured> {
  await mkdir(cache, { recursive: true })
  const file = `${cache}/faults.json`
  await writeFile(file, config)
  const command = npmStart('--port', '0', '--config', file)
  const env = { SAMEWIRE_KEY: key }
  return await start({ name: 'node', command, core: undefined, env, port: /127\.0\.0\.1:(\d+)/ })
}

async function startWorker(config: string): Promise<Measured> {
  const bindings = { SAMEWIRE_KEY: key, SAMEWIRE_CONFIG: config }
  const worker = await startWorkerd('workerd', await bundle('faults', 'src/worker.ts'), bindings)
  // It prints its port shortly before it listens.
  const listens = () =>
    fetch(`http://127.0.0.1:${worker.port}/health`).then(
      () => true,
      () => false,
    )
  while (!(await listens())) await wait(20)
  return worker
}
