import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import { cores } from './machine.ts'
import { type Measured, start } from './processes.ts'

/** The folder for the benchmark's generated files. */
export const cache = 'node_modules/.cache/bench'

/** The bundle of a Worker as it would be deployed. `gzip` is the size of its code in bytes, without other files. */
export interface Bundle {
  readonly folder: string
  readonly main: string
  readonly files: readonly string[]
  readonly gzip: number
}

/** Bundles a Worker with wrangler, offline. */
export async function bundle(name: string, entry: string): Promise<Bundle> {
  const folder = join(cache, name)
  await mkdir(folder, { recursive: true })
  const args = ['deploy', entry, '--dry-run', '--minify', '--outdir', folder]
  await promisify(execFile)('wrangler', args, { env: { ...process.env, CI: 'true', WRANGLER_SEND_METRICS: 'false' } })
  const files = (await readdir(folder)).filter((file) => /\.(gguf|wasm|bin)$/.test(file))
  const main = basename(entry, '.ts').concat('.js')
  return { folder, main, files, gzip: gzipSync(readFileSync(join(folder, main))).length }
}

/** Runs a bundle in workerd itself, as on the edge, without wrangler's proxy, on one core or on all (null). */
export async function startWorkerd(
  name: string,
  bundle: Bundle,
  bindings: Readonly<Record<string, string>>,
  core: number | null | undefined = cores.gateway,
): Promise<Measured> {
  const { port, file } = await configure(bundle, bindings)
  // workerd doesn't print its port, so `echo` does; the first request waits until it listens.
  const command = ['sh', '-c', `echo port=${port}; exec workerd serve ${file}`]
  return await start({ name, command, core: core ?? undefined, port: /port=(\d+)/ })
}

/** Writes workerd's configuration for a bundle, and returns the port that it will listen on. */
export async function configure(
  { folder, main, files }: Bundle,
  bindings: Readonly<Record<string, string>>,
): Promise<{ port: number; file: string }> {
  const port = await freePort()
  const text = Object.entries(bindings).map(([key, value]) => `(name = ${quote(key)}, text = ${quote(value)})`)
  const data = files.map((file) => `(name = ${quote(`./${file}`)}, data = embed ${quote(file)})`)
  const modules = [`(name = "worker", esModule = embed ${quote(main)})`, ...data].join(', ')
  const config = `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = .worker), (name = "internet", network = (allow = ["private", "public"]))],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")]
);
const worker :Workerd.Worker = (
  modules = [${modules}],
  bindings = [${text.join(', ')}],
  compatibilityDate = "2026-10-20",
  compatibilityFlags = ["enable_request_signal", "no_nodejs_global_timers"],
  globalOutbound = "internet"
);
`
  const file = join(folder, 'config.capnp')
  await writeFile(file, config)
  return { port, file }
}

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
