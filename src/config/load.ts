import { readFile } from 'node:fs/promises'
import { extname, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { givenConfig } from './given.ts'
import { ConfigError } from './problems.ts'
import type { Config } from './schema.ts'
import { readText } from './text.ts'
import { messageOf, stackOf } from './thrown.ts'

/**
 * Reads a configuration file: a program by its default export, JSON or YAML. Rejects with a `ConfigError` that names the
 * file. `again`: how often it was read before. Node keeps every version of a program for ever, a few kilobytes each, and
 * reads the modules that it imports only once.
 */
export async function loadConfig(file: string, again = 0): Promise<Config> {
  const path = resolve(file)
  const read = readers[extname(path)]
  if (!read) throw new ConfigError([`found ${extname(path) || 'no ending'}; allowed: ${endings.join(', ')}`], file)
  const { value } = await read(path, again).catch((error: unknown) => {
    throw new ConfigError([reasonOf(error, path)], file)
  })
  return givenConfig(value, file)
}

/** The value is wrapped in an object, because a promise would be awaited otherwise, perhaps for ever. */
type Reader = (path: string, again: number) => Promise<{ readonly value: unknown }>

const readers: Readonly<Record<string, Reader>> = {
  '.ts': importDefault,
  '.mts': importDefault,
  '.js': importDefault,
  '.mjs': importDefault,
  '.json': async (path) => ({ value: JSON.parse(await readText(path)) as unknown }),
  '.yaml': readYAML,
  '.yml': readYAML,
}

/** The endings of configuration files. */
export const endings: readonly string[] = Object.keys(readers)

/** Whether a configuration file is a program. */
export function isProgram(file: string): boolean {
  return readers[extname(file)] === importDefault
}

async function importDefault(path: string, again: number): Promise<{ value: unknown }> {
  // If the file is missing, the error of `import` would name this file instead.
  await readFile(path)
  // The same address would bring the same module, whatever the file says now.
  const address = pathToFileURL(path).href + (again > 0 ? `?v=${again}` : '')
  const exported = (await import(address)) as { readonly default?: unknown }
  if ('default' in exported) return { value: exported.default }
  throw new Error('it has no default export: end it with `export default defineConfig({ … })`')
}

async function readYAML(path: string, again: number): Promise<{ value: unknown }> {
  const { parse } = await import('yaml')
  const text = await readText(path)
  // Somebody is about to write it, or the disk is full: it must not cost a running gateway its keys and providers.
  if (again > 0 && text.trim() === '') throw new Error('it is empty; allowed while the gateway runs: {}')
  // A file that holds only comments is an empty configuration.
  const empty = text.split('\n').every((line) => /^\s*(#.*|---|\.\.\.)?\s*$/.test(line))
  return { value: empty ? {} : (parse(text) as unknown) }
}

const fileProblems: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EISDIR: 'it is a directory',
  EACCES: 'it may not be read',
}

const remedy = 'end its name in .mts or .mjs, or have "type": "module" in package.json'

/**
 * Why a configuration can't be loaded. One line, with the line number in a program, without the excerpt that parsers
 * quote: it may contain a secret.
 */
export function reasonOf(thrown: unknown, path: string): string {
  const said = messageOf(thrown)
  if (said === undefined) return 'it throws while it is loaded, and what it throws is no Error'
  const error = thrown as Error
  const known = 'code' in error ? fileProblems[String(error.code)] : undefined
  if (known) return known
  const message = said
    .replace(/^Source contains multiple documents.*?(?= at line)/, 'another document begins; allowed: one')
    .replace(/^(.*) at (line \d+, column \d+):?\s*$/s, '$2: $1')
    .replace(/, (\.\.\.)?".*is not valid JSON$/s, ': it is not valid JSON')
    // `npm init` writes "type": "commonjs".
    .replace(/^(Cannot use import statement outside|Unexpected token 'export').*/, `$&: ${remedy}`)
  const line = /^\d+/.exec(
    stackOf(error)
      .replace(/\?v=\d+(?=:)/g, '')
      .split(`${path}:`)[1] ?? '',
  )?.[0]
  return `${line ? `line ${line}: ` : ''}${message || `it throws ${error.name} while it is loaded`}`
}
