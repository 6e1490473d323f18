import { copyFile, mkdir, rm } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { type ModuleInfo, type OutputChunk, type Plugin, rolldown } from 'rolldown'

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

/**
 * Builds a Worker into `folder`, which is emptied before. What it starts with is one script; modules that are loaded late
 * are files of their own. Wrangler's own bundling makes one script of everything, which is read whole at each start.
 */
export async function buildWorker(entry: string, folder: string): Promise<BuiltWorker> {
  const outdir = resolve(root, folder)
  const main = basename(entry, '.ts').concat('.js')
  const first = join(root, entry)
  const data: string[] = []
  const bundle = await rolldown({
    input: entry,
    cwd: root,
    platform: 'browser',
    external: /^(node|cloudflare):/,
    plugins: [imported(data)],
    resolve: {
      mainFields: ['browser', 'module', 'main'],
      conditionNames: ['workerd', 'worker', 'browser'],
      // Ollama's client brings a `fetch` for browsers that have none.
      alias: { 'whatwg-fetch': join(root, 'src/nothing.ts') },
    },
    transform: {
      target: 'es2024',
      define: { 'process.env.NODE_ENV': '"production"', 'navigator.userAgent': '"Cloudflare-Workers"' },
    },
    preserveEntrySignatures: 'allow-extension',
  })
  await rm(outdir, { recursive: true, force: true })
  let starting: ReadonlySet<string> | undefined
  const { output } = await bundle.write({
    dir: outdir,
    format: 'esm',
    minify: true,
    entryFileNames: main,
    chunkFileNames: '[name]-[hash].js',
    codeSplitting: {
      includeDependenciesRecursively: false,
      groups: [
        {
          name(id, graph) {
            starting ??= closure(first, (one) => graph.getModuleInfo(one))
            // Others import from it, but workerd takes nothing of the main module that is no handler.
            return starting.has(id) && id !== first ? 'start' : null
          },
          debugName: 'start',
        },
      ],
    },
  })
  await bundle.close()
  await mkdir(outdir, { recursive: true })
  for (const path of data) await copyFile(path, join(outdir, basename(path)))
  const chunks = output.filter((one) => one.type === 'chunk')
  const begun = imports(main, chunks)
  const modules = [
    ...chunks.map(({ fileName, code }) => ({
      name: fileName,
      gzip: gzipSync(code).length,
      atStart: begun.has(fileName),
    })),
    ...data.map((path) => ({ name: basename(path), gzip: 0, atStart: false })),
  ]
  const sum = (chosen: readonly BuiltModule[]) => chosen.reduce((all, { gzip }) => all + gzip, 0)
  return { folder, main, modules, gzip: sum(modules), atStart: sum(modules.filter((module) => module.atStart)) }
}

/** Leaves imports of data, such as the embedded model, to the runtime. Adds their paths to `found`. */
function imported(found: string[]): Plugin {
  return {
    name: 'data',
    resolveId: {
      filter: { id: /\.gguf$/ },
      handler(given, importer = root) {
        found.push(join(dirname(importer), given))
        return { id: `./${basename(given)}`, external: true }
      },
    },
  }
}

/** The modules that can't be loaded later than `entry`. */
function closure(entry: string, infoOf: (id: string) => ModuleInfo | null): ReadonlySet<string> {
  return reached(entry, (id) => infoOf(id)?.importedIds ?? [])
}

/** The files that are read with `main`. */
function imports(main: string, chunks: readonly OutputChunk[]): ReadonlySet<string> {
  const byName = new Map(chunks.map((chunk) => [chunk.fileName, chunk]))
  return reached(main, (name) => byName.get(name)?.imports ?? [])
}

function reached(first: string, next: (one: string) => readonly string[]): ReadonlySet<string> {
  const all = new Set([first])
  for (const one of all) for (const other of next(one)) all.add(other)
  return all
}

const isProgram = process.argv[1] === fileURLToPath(import.meta.url)
if (isProgram) {
  const { atStart, gzip } = await buildWorker('src/worker.ts', 'dist/worker')
  console.log(`Worker: ${Math.ceil(atStart / 1024)} KB gzip at start, ${Math.ceil(gzip / 1024)} KB in all`)
}
