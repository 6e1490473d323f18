import { reasonOf } from '../config/load.ts'
import { ConfigError } from '../config/problems.ts'
import { printable } from '../log.ts'
import { StartError } from '../runtime/listening.ts'
import { serveAlone } from './alone.ts'
import { readArguments, UsageError } from './arguments.ts'
import { readJob } from './build.ts'
import { chooseConfiguration } from './configuration.ts'
import { readEnvFile } from './env-file.ts'
import { serveTogether } from './together.ts'
import { watchStart } from './watch.ts'

async function start(args: readonly string[]): Promise<void> {
  const { env } = process
  await readEnvFile(env).catch((error: unknown) => {
    throw new ConfigError([reasonOf(error, '.env')], '.env')
  })
  const given = readArguments(args, env)
  const { file, note } = await chooseConfiguration(given.config, env)
  if (note) console.error(printable(note))
  const over = watchStart(file, stopWith)
  try {
    const job = await readJob(file, given.host, env)
    // Node tells of a rejected promise only after all that is ready has run, which may be the whole start.
    await new Promise((turn) => setImmediate(turn))
    await (given.workers === 1 ? serveAlone : serveTogether)(job, given, env, over)
  } finally {
    over()
  }
}

function stopWith(message: string, code = 1): never {
  console.error(message.split('\n').map(printable).join('\n'))
  process.exit(code)
}

/**
 * `npm start`. Resolves when the gateway listens, or with false if an argument is unknown, which is left to the caller
 * to tell; otherwise prints the problem and exits.
 */
export async function main(args: readonly string[]): Promise<boolean> {
  try {
    await start(args)
    return true
  } catch (error) {
    if (error instanceof UsageError) stopWith(error.message, 2)
    if (error instanceof ConfigError || error instanceof StartError) stopWith(error.message)
    if (error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS_')) return false
    throw error
  }
}
