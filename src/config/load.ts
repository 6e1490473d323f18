import { readFile } from 'node:fs/promises'
import { extname, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ConfigError } from './problems.ts'
import type { Config } from './schema.ts'

/** Reads a configuration file: `.ts` (or `.js`, `.mjs`) by its default export, `.json`, `.yaml` or `.yml`. */
export async function loadConfig(file: string): Promise<Config> {
  const path = resolve(file)
  switch (extname(path)) {
    case '.ts':
    case '.js':
    case '.mjs':
      return await load(file, async () => ((await import(pathToFileURL(path).href)) as { default?: Config }).default)
    case '.json':
      return await load(file, async () => JSON.parse(await readFile(path, 'utf8')) as Config)
    case '.yaml':
    case '.yml':
      // An empty file is an empty configuration.
      return await load(file, async () => {
        const { parse } = await import('yaml')
        return (parse(await readFile(path, 'utf8')) ?? {}) as Config
      })
    default:
      throw new ConfigError([`found ${extname(path) || 'no ending'}; allowed: .ts, .json, .yaml`], file)
  }
}

async function load(file: string, read: () => Promise<Config | undefined>): Promise<Config> {
  try {
    const config = await read()
    if (config === undefined)
      throw new Error('it has no default export: end it with `export default defineConfig({ … })`')
    return config
  } catch (error) {
    throw new ConfigError([reasonOf(error)], file)
  }
}

/** One line, and without the piece of the file that parsers quote: it may hold a secret. */
function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  return message
    .replace(/, (\.\.\.)?".*is not valid JSON$/s, ': it is not valid JSON')
    .trim()
    .replace(/\n.*$/s, '')
}
