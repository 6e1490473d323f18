import { parseEnv } from 'node:util'
import { readText } from '../config/text.ts'

/**
 * Adds the variables of `.env`, if there is one, to `env`, which wins. Not `process.loadEnvFile`, which takes a byte
 * order mark for a part of the first name.
 */
export async function readEnvFile(env: NodeJS.ProcessEnv): Promise<void> {
  const text = await readText('.env').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
  })
  for (const [name, value] of Object.entries(parseEnv(text ?? ''))) env[name] ??= value
}
