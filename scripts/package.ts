import { execFile } from 'node:child_process'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { type Plugin, rolldown } from 'rolldown'

const root = fileURLToPath(new URL('..', import.meta.url))

/** As deep as `src/node` is: what the sources find by `../../`, such as package.json, the build finds too. */
const folder = join(root, 'dist/package')

/**
 * Builds what the npm package has in place of the sources: below `node_modules` Node takes no types away. Packages stay
 * imports, so that they are installed, updated and audited as the dependencies they are.
 */
export async function buildPackage(): Promise<void> {
  const { dependencies } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as {
    readonly dependencies: Readonly<Record<string, string>>
  }
  await rm(folder, { recursive: true, force: true })
  await Promise.all([buildScripts(Object.keys(dependencies)), buildTypes()])
}

async function buildScripts(packages: readonly string[]): Promise<void> {
  const isPackage = (id: string) => packages.some((name) => id === name || id.startsWith(`${name}/`))
  const bundle = await rolldown({
    input: { index: 'src/library/index.ts', node: 'src/node/main.ts', cli: 'src/cli/main.ts' },
    cwd: root,
    platform: 'neutral',
    external: (id) => id.startsWith('node:') || isPackage(id),
    plugins: [locatedEntries],
    transform: { target: 'es2024' },
  })
  await bundle.write({
    dir: folder,
    format: 'esm',
    entryFileNames: '[name].js',
    chunkFileNames: '[name]-[hash].js',
  })
  await bundle.close()
}

/** Files that the sources name by their address, such as the script of a worker process, become files of the build. */
const locatedEntries: Plugin = {
  name: 'located entries',
  transform: {
    filter: { id: /\.ts$/, code: /new URL\('[^']+\.ts', import\.meta\.url\)/ },
    handler(code, id) {
      return code.replace(/(?<=new URL\(')([^']+)\.ts(?=', import\.meta\.url\))/g, (_, path: string) => {
        const name = basename(path)
        this.emitFile({ type: 'chunk', id: join(dirname(id), `${path}.ts`), fileName: `${name}.js`, name })
        return `./${name}.js`
      })
    },
  },
}

/** What a declaration imports of the sources. */
const specifiers = /(?<=\b(?:from |import\()['"])(\.[^'"]+)\.ts/g

/** Writes the declarations of the library, and of what they refer to. */
async function buildTypes(): Promise<void> {
  const all = join(root, 'dist/types')
  await rm(all, { recursive: true, force: true })
  const options = ['--noEmit', 'false', '--declaration', '--emitDeclarationOnly', '--outDir', all, '--rootDir', root]
  await promisify(execFile)('tsc', ['-p', join(root, 'scripts/tsconfig.package.json'), ...options], { cwd: root })
  const reached = new Set(['src/library/index.d.ts'])
  for (const file of reached) {
    const text = await readFile(join(all, file), 'utf8')
    for (const [, path = ''] of text.matchAll(specifiers)) reached.add(join(dirname(file), `${path}.d.ts`))
    await mkdir(join(folder, 'types', dirname(file)), { recursive: true })
    // No file ends in `.ts` there: older compilers look for the declaration of a `.js`.
    await writeFile(
      join(folder, 'types', file),
      text.replace(specifiers, (all) => all.replace(/\.ts$/, '.js')),
    )
  }
  await rm(all, { recursive: true })
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildPackage()
