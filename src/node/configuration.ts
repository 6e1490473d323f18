import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Environment } from '../config/providers.ts'

/** The names that a configuration is looked for under, the first of them first. */
export const usualNames = [
  ...['ts', 'mts', 'js', 'mjs'].map((ending) => `samewire.config.${ending}`),
  ...['yaml', 'yml', 'json'].map((ending) => `samewire.${ending}`),
  ...['yaml', 'yml', 'json'].map((ending) => `samewire.config.${ending}`),
]

/** An empty one, which serves what is available. */
export const emptyConfig = fileURLToPath(new URL('./empty-config.ts', import.meta.url))

export interface Chosen {
  readonly file: string
  /** Why another file that is there isn't used, as a line for the user. */
  readonly note?: string
}

/**
 * The configuration to use: the one that was named, by option or by `SAMEWIRE_CONFIG_FILE`; else the one in `folder`;
 * else an empty one: that of a clone is for who works in the clone, as `npm start` does.
 */
export async function chooseConfiguration(named: string | undefined, env: Environment, folder = '.'): Promise<Chosen> {
  const asked = named ?? (env.SAMEWIRE_CONFIG_FILE || undefined)
  if (asked !== undefined) return { file: asked }
  // A folder that can't be read has none.
  const present = new Set(await readdir(folder).catch(() => []))
  const [first, ...others] = usualNames.filter((name) => present.has(name))
  if (first === undefined) return { file: emptyConfig }
  const note = `${first} is used, and ${others.join(', ')} ${others.length > 1 ? 'are' : 'is'} not: --config FILE chooses`
  return { file: join(folder, first), ...(others.length > 0 && { note }) }
}
