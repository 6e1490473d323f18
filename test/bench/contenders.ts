import { mkdir, writeFile } from 'node:fs/promises'
import type { BuiltWorker } from '../../scripts/worker.ts'
import { cores } from './machine.ts'
import { portkey } from './portkey.ts'
import { type Measured, npmStart, start } from './processes.ts'
import { key } from './requests.ts'
import type { Kind } from './scenarios.ts'
import { cache, freePort, type Kept, startWorkerd } from './workerd.ts'

/** A process to benchmark: samewire, or a yardstick. */
export interface Contender extends Measured {
  /** The kinds of scenarios that include it. */
  readonly kinds: readonly Kind[]
  /** Extra headers that its clients send. */
  readonly headers?: Readonly<Record<string, string>>
  /** Whether it translates Ollama's format to OpenAI's. */
  readonly translates?: boolean
  /** Whether it is the upstream itself, without a gateway. */
  readonly direct?: boolean
}

const everything: readonly Kind[] = ['plain', 'large', 'stream', 'translated', 'responses']
const node = process.execPath

export async function startUpstream(): Promise<Measured> {
  const command = [node, 'test/bench/mock.ts']
  return await start({ name: 'D', command, core: cores.load, port: /"port":(\d+)/ })
}

/** D, direct: the upstream without a gateway. */
export function direct(upstream: Measured): Contender {
  // The benchmark starts and stops the upstream itself.
  return { ...upstream, kinds: everything, direct: true, stop: async () => {} }
}

export async function startFloor(upstream: string): Promise<Contender> {
  const command = [node, 'test/bench/floor.ts', '0', upstream]
  return { ...(await start({ name: 'F', command, core: cores.gateway, port: /"port":(\d+)/ })), kinds: everything }
}

/** S differs from F only for large requests. */
export async function startSplice(upstream: string): Promise<Contender> {
  const command = [node, 'test/bench/floor.ts', '0', upstream, 'splice']
  return { ...(await start({ name: 'S', command, core: cores.gateway, port: /"port":(\d+)/ })), kinds: ['large'] }
}

/** The names of samewire on Node, and of its Worker. */
export const ours = { node: 'samewire', worker: 'samewire in workerd' }

/** The command that runs samewire on Node with an upstream, and its environment. */
export async function samewire(
  upstream: string,
  port = 0,
  limits?: object,
): Promise<{ command: string[]; env: Record<string, string> }> {
  await mkdir(cache, { recursive: true })
  const file = `${cache}/config${limits ? `-${Object.keys(limits).join('-')}` : ''}.json`
  await writeFile(file, configFor(upstream, limits))
  return {
    command: npmStart('--port', String(port), '--config', file),
    env: { SAMEWIRE_KEY: key },
  }
}

export interface StartSamewire {
  /** Where other sources of it are. */
  readonly folder?: string | undefined
  /** More variables of its environment. */
  readonly env?: Readonly<Record<string, string>>
  /** Flags of Node, before V8's. */
  readonly flags?: readonly string[]
  /** What the key may do. */
  readonly limits?: object
}

export async function startSamewire(
  upstream: string,
  { folder, env: more, flags = [], limits }: StartSamewire = {},
): Promise<Contender> {
  const { command: own, env } = await samewire(upstream, 0, limits)
  const [program = '', ...args] = own.map((part) => (folder && part.startsWith('src/') ? `${folder}/${part}` : part))
  const process = await start({
    ...{ name: ours.node, command: [program, ...flags, ...args], env: { ...env, ...more } },
    ...{ core: cores.gateway, port: /127\.0\.0\.1:(\d+)/ },
  })
  return { ...process, kinds: everything, translates: true }
}

export async function startBareWorker(upstream: string, bundle: BuiltWorker): Promise<Contender> {
  return { ...(await startWorkerd('W', bundle, { UPSTREAM: upstream })), kinds: everything }
}

/** The bindings of samewire's Worker for an upstream. */
export const bindingsFor = (upstream: string, limits?: object) => {
  return { SAMEWIRE_KEY: key, SAMEWIRE_CONFIG: configFor(upstream, limits) }
}

/** The Worker with Durable Objects, which keep `limits` of the key in the folder `disk`. */
export async function startLimitedWorker(
  name: string,
  upstream: string,
  bundle: BuiltWorker,
  { limits, disk }: { readonly limits: object; readonly disk: string },
): Promise<Contender> {
  const process = await startWorkerd(name, bundle, bindingsFor(upstream, limits), undefined, { disk })
  return { ...process, kinds: everything, translates: true }
}

/** The Worker with keys in D1, on the port `database`. Its clients have one with these `settings`. */
export async function startKeptWorker(
  name: string,
  upstream: string,
  bundle: BuiltWorker,
  { settings, ...kept }: Required<Kept> & { readonly settings: object },
): Promise<Contender> {
  const admin = 'sk-samewire-bench-admin'
  const bindings = { ...bindingsFor(upstream, {}), SAMEWIRE_STATE: 'd1', SAMEWIRE_ADMIN_KEY: admin }
  const process = await startWorkerd(name, bundle, bindings, undefined, kept)
  const response = await fetch(`http://127.0.0.1:${process.port}/v1/keys`, {
    method: 'POST',
    headers: { authorization: `Bearer ${admin}`, 'content-type': 'application/json' },
    body: JSON.stringify({ name, ...settings }),
  })
  if (response.status !== 201) throw new Error(`no key was made: ${await response.text()}`)
  const { key } = (await response.json()) as { key: string }
  return { ...process, kinds: everything, translates: true, headers: { authorization: `Bearer ${key}` } }
}

export async function startWorker(upstream: string, bundle: BuiltWorker): Promise<Contender> {
  const process = await startWorkerd(ours.worker, bundle, bindingsFor(upstream))
  return { ...process, kinds: everything, translates: true }
}

/** P has no translation to compare with: it sends requests for Ollama to Ollama's OpenAI route. */
export async function startPortkey(upstream: string): Promise<Contender> {
  const { command, env, headers } = portkey(await freePort(), upstream)
  const process = await start({ name: 'P', command, env, core: cores.gateway, port: /localhost:(\d+)/ })
  return { ...process, kinds: ['plain', 'large', 'stream'], headers }
}

/** What a user would have on: keys, routing, retries and a fallback. */
function configFor(upstream: string, limits?: object): string {
  // Nothing without a price can be asked for by a key that has a budget.
  const priced = (model: string) => (limits ? { model, price: { input: 2, output: 10 } } : model)
  const lab = { deployments: [priced('lab/bench')], fallbacks: ['spare'], retries: 2 }
  return JSON.stringify({
    providers: {
      lab: { type: 'openai-compatible', baseURL: `${upstream}/v1` },
      local: { type: 'ollama', baseURL: upstream },
    },
    models: {
      bench: lab,
      observed: { ...lab, streams: 'observed' },
      untouched: { ...lab, streams: 'untouched' },
      native: 'local/bench',
      spare: { deployments: [priced('lab/spare')] },
    },
    fallback: 'spare',
    keys: [limits ? { key: 'env:SAMEWIRE_KEY', ...limits } : 'env:SAMEWIRE_KEY'],
  })
}
