import type { Config } from '../../src/config/schema.ts'
import { noLists, type Reply } from './ask.ts'
import { duringTests } from './during-tests.ts'
import { startGateway } from './gateway.ts'
import { type FakeUpstream, fakeUpstream, type Script } from './upstream.ts'
import { serveWorker } from './worker.ts'

export const runtimes = ['node', 'workerd'] as const
export type Runtime = (typeof runtimes)[number]

const key = 'sk-of-both-runtimes'

/** One configuration served on both runtimes, over real sockets. */
export interface Both {
  /** Posts `body` to the gateway on `runtime` and reads the whole reply. */
  ask(runtime: Runtime, body: unknown, path?: string): Promise<Reply>
  /** The base URL with `/v1`, and the key, for clients of their own. */
  readonly addresses: Readonly<Record<Runtime, string>>
  readonly key: string
  close(): Promise<void>
}

/**
 * By `name` the Worker is called if it can't start. `env` is given to both, beside the key. Without `lists`, the one on
 * Node asks no provider for its models.
 */
export async function startBoth(
  name: string,
  config: Config,
  env: Record<string, string> = {},
  { lists = false } = {},
): Promise<Both> {
  const node = await startGateway(config, { env: { ...env, SAMEWIRE_KEY: key }, services: lists ? {} : noLists })
  const worker = await serveWorker(name, { ...env, SAMEWIRE_KEY: key, SAMEWIRE_CONFIG: JSON.stringify(config) })
  const addresses = { node: node.baseURL, workerd: `http://127.0.0.1:${worker.port}/v1` }
  return {
    addresses,
    key,
    async ask(runtime, body, path = '/chat/completions') {
      const response = await fetch(addresses[runtime] + path, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      })
      return { status: response.status, headers: response.headers, text: await response.text() }
    },
    async close() {
      await Promise.all([node.close(), worker.stop()])
    },
  }
}

/**
 * Starts an upstream and a gateway in front of it before the tests of this file or `describe`, and closes them after.
 * What it returns is empty until then. `configOf` gets the upstream's URL; `script` is its first script.
 */
export function serveBoth(
  name: string,
  configOf: (url: string) => Config,
  { env, script }: { readonly env?: Record<string, string>; readonly script?: Script } = {},
): { readonly upstream: FakeUpstream; readonly both: Both } {
  const upstream = duringTests(() => fakeUpstream(...(script ? [script] : [])))
  const both = duringTests(() => startBoth(name, configOf(upstream.url), env))
  return { upstream, both }
}
