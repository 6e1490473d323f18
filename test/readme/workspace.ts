import { mkdir, rm, writeFile } from 'node:fs/promises'
import { delimiter, dirname, join, relative } from 'node:path'
import { pathToFileURL } from 'node:url'
import { run } from './children.ts'
import { root } from './snippets.ts'

/** Git, the linter and the compiler leave this folder alone; Node strips no types below node_modules. */
export const folder = join(root, 'local/readme')

export const clear = (): Promise<void> => rm(folder, { recursive: true, force: true })

/** Writes a snippet where it belongs to under `folder`, with the imports of the repository's files led back. */
export async function write(path: string, text: string): Promise<string> {
  const file = join(folder, path)
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, text.replaceAll(/(['"])(?:\.\.?\/)(src|providers)\//g, `$1${root}$2/`))
  return file
}

const typed = new Map<string, string>()
let compiled: Promise<string> | undefined

/** Has the compiler read a snippet beside all others, as each start of it reads the sources too. Returns its file. */
export function toCompile(path: string, text: string): string {
  typed.set(path, text)
  return join(folder, path)
}

/** What the compiler, with the flags of the repository, says of a snippet, and of none. */
export async function faultsOfTypes(file: string): Promise<string[]> {
  compiled ??= compile()
  const others = [...typed.keys()].map((path) => join(folder, path)).filter((other) => other !== file)
  const lines = (await compiled).split('\n').filter((line) => line !== '')
  return lines.filter((line) => !others.some((other) => line.startsWith(`${relative(root, other)}(`)))
}

async function compile(): Promise<string> {
  const files = await Promise.all([...typed].map(([path, text]) => write(path, text)))
  const config = { extends: join(root, 'tsconfig.json'), files, include: [] }
  return (await run('tsc', ['-p', await write('tsconfig.json', JSON.stringify(config))])).stdout
}

export const importDefault = async <T>(file: string) =>
  ((await import(pathToFileURL(file).href)) as { default: T }).default

/** Every secret that a configuration names, set to something. */
export function environmentFor(text: string): Record<string, string> {
  return Object.fromEntries([...text.matchAll(/env:(\w+)/g)].map(([, name = '']) => [name, 'a-test-secret']))
}

/** The interpreters in SAMEWIRE_PYTHON (several as in PATH), or the usual one; a snippet needs a fitting `openai`. */
export async function findPython(version: RegExp): Promise<string | undefined> {
  const script = 'import importlib.metadata as m; print(m.version("openai"))'
  for (const python of (process.env.SAMEWIRE_PYTHON ?? 'python3').split(delimiter)) {
    const found = await run(python, ['-c', script]).catch(() => undefined)
    if (found?.code === 0 && version.test(found.stdout)) return python
  }
  return undefined
}
