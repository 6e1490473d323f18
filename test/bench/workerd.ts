import { randomUUID } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { type BuiltWorker, buildWorker } from '../../scripts/worker.ts'
import { cores } from './machine.ts'
import { type Measured, start } from './processes.ts'

/** The folder for the benchmark's generated files. */
export const cache = 'node_modules/.cache/bench'

/** Builds a Worker as it is deployed, offline. Callers may run at the same time if their names differ. */
export async function bundle(name: string, entry: string): Promise<BuiltWorker> {
  return await buildWorker(entry, join(cache, name))
}

/** What a Worker keeps beyond its requests. */
export interface Kept {
  /** The folder for its Durable Objects. Absent: it has none. */
  readonly disk?: string | undefined
  /** The port of `startD1`. Absent: it has no D1. */
  readonly database?: number | undefined
}

/** Runs a bundle in workerd itself, as on the edge, without wrangler's proxy, on one core or on all (null). */
export async function startWorkerd(
  name: string,
  bundle: BuiltWorker,
  bindings: Readonly<Record<string, string>>,
  core: number | null | undefined = cores.gateway,
  kept: Kept = {},
): Promise<Measured> {
  const file = await configure(bundle, bindings, kept)
  // By its first output it listens.
  const command = ['workerd', 'serve', '--control-fd=1', file]
  return await start({ name, command, core: core ?? undefined, port: /"port":(\d+)/ })
}

/** Writes workerd's configuration for a bundle, which listens on `port`, or on one that is free. Returns the file. */
export async function configure(
  { folder, main, modules }: BuiltWorker,
  bindings: Readonly<Record<string, string>>,
  { port = 0, disk, database }: Kept & { readonly port?: number | undefined } = {},
): Promise<string> {
  const text = Object.entries(bindings).map(([key, value]) => `(name = ${quote(key)}, text = ${quote(value)})`)
  if (disk) text.push('(name = "METERS", durableObjectNamespace = "Meters")')
  const objects = disk
    ? `durableObjectNamespaces = [(className = "Meters", uniqueKey = "meters", enableSql = true)],
  durableObjectStorage = (localDisk = "disk"),
  `
    : ''
  if (database !== undefined) text.push(d1Binding)
  const services = [
    '(name = "main", worker = .worker)',
    '(name = "internet", network = (allow = ["private", "public"]))',
    ...(disk ? [`(name = "disk", disk = (path = ${quote(disk)}, writable = true))`] : []),
    ...(database === undefined ? [] : [d1Service(database)]),
  ]
  const [first, ...others] = [main, ...modules.map((module) => module.name).filter((module) => module !== main)]
  const files = [first, ...others].map((file = '') => {
    const kind = file.endsWith('.js') ? 'esModule' : 'data'
    return `(name = ${quote(file)}, ${kind} = embed ${quote(file)})`
  })
  const config = `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [${services.join(', ')}],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")]
);
const worker :Workerd.Worker = (
  modules = [${files.join(', ')}],
  bindings = [${text.join(', ')}],
  ${objects}compatibilityDate = "2026-10-20",
  compatibilityFlags = ["enable_request_signal", "no_nodejs_global_timers"],
  globalOutbound = "internet"
);
`
  // Several may be started of the same bundle.
  const file = join(folder, `config-${randomUUID()}.capnp`)
  await writeFile(file, config)
  return file
}

/** The binding `DB`, as wrangler makes it, of the server that `startD1` starts. */
export const d1Binding = `(name = "DB", wrapped = (moduleName = "cloudflare-internal:d1-api",
    innerBindings = [(name = "fetcher", service = "d1")]))`
export const d1Service = (port: number) => `(name = "d1", external = (address = "127.0.0.1:${port}", http = ()))`

/** A port that is not in use. */
export function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })
}

function quote(text: string): string {
  return JSON.stringify(text)
}
