import { readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { basename, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { type BuildOptions, build } from 'esbuild'

/** One file of a built Worker. */
export interface BuiltModule {
  /** Its path in the folder. */
  readonly name: string
  /** Bytes, compressed as the edge counts them; 0 for data. */
  readonly gzip: number
  /** Whether the Worker can't start without it: the main module, and what that imports at once. */
  readonly atStart: boolean
}

export interface BuiltWorker {
  readonly folder: string
  readonly main: string
  readonly modules: readonly BuiltModule[]
  /** Bytes of all scripts, and of those that are read at each start, each compressed. */
  readonly gzip: number
  readonly atStart: number
}

const root = fileURLToPath(new URL('..', import.meta.url))

/** What wrangler's own bundling uses too, except for `splitting`: it makes one script, which is read whole at each start. */
const options: BuildOptions = {
  bundle: true,
  splitting: true,
  format: 'esm',
  target: 'es2024',
  platform: 'browser',
  mainFields: ['browser', 'module', 'main'],
  conditions: ['workerd', 'worker', 'browser'],
  external: ['node:*', 'cloudflare:*'],
  // The embedded model is data, and loaded by its first request.
  loader: { '.gguf': 'copy' },
  // Ollama's client brings a `fetch` for browsers that have none.
  alias: { 'whatwg-fetch': join(root, 'src/nothing.ts') },
  define: { 'process.env.NODE_ENV': '"production"', 'navigator.userAgent': '"Cloudflare-Workers"' },
  minify: true,
  logLevel: 'warning',
  absWorkingDir: root,
}

/** Builds a Worker into `folder`, which is emptied before. Modules that are loaded late are files of their own. */
export async function buildWorker(entry: string, folder: string): Promise<BuiltWorker> {
  const outdir = join(root, folder)
  await rm(outdir, { recursive: true, force: true })
  const { metafile } = await build({ ...options, entryPoints: [entry], outdir, metafile: true })
  const { outputs } = metafile
  const main = basename(entry, '.ts').concat('.js')
  const names = new Map(Object.keys(outputs).map((path) => [path, relative(outdir, join(root, path))]))
  const starting = new Set<string>()
  const start = (path: string): void => {
    if (starting.has(path)) return
    starting.add(path)
    for (const { path: next, kind } of outputs[path]?.imports ?? []) if (kind === 'import-statement') start(next)
  }
  for (const [path, name] of names) if (name === main) start(path)
  const modules = [...names].map(([path, name]) => ({
    name,
    gzip: name.endsWith('.js') ? gzipSync(readFileSync(join(outdir, name))).length : 0,
    atStart: starting.has(path),
  }))
  const sum = (chosen: readonly BuiltModule[]) => chosen.reduce((all, { gzip }) => all + gzip, 0)
  return { folder, main, modules, gzip: sum(modules), atStart: sum(modules.filter((module) => module.atStart)) }
}

const isProgram = process.argv[1] === fileURLToPath(import.meta.url)
if (isProgram) {
  const { atStart, gzip } = await buildWorker('src/worker.ts', 'dist/worker')
  console.log(`Worker: ${Math.ceil(atStart / 1024)} KB gzip at start, ${Math.ceil(gzip / 1024)} KB in all`)
}
