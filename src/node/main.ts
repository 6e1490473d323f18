import { fileURLToPath } from 'node:url'
import { reasonOf } from '../config/load.ts'
import { ConfigError } from '../config/problems.ts'
import { printable } from '../log.ts'
import { StartError } from '../runtime/listening.ts'
import { serveAlone } from './alone.ts'
import { readArguments, readQuestion, usage } from './arguments.ts'
import { readJob } from './build.ts'
import { readEnvFile } from './env-file.ts'
import { explainInput } from './explain.ts'
import { help, readVersion } from './help.ts'
import { serveTogether } from './together.ts'
import { watchStart } from './watch.ts'

async function run(): Promise<void> {
  const { argv, env } = process
  const args = argv.slice(2)
  const question = readQuestion(args)
  if (question) return console.log(question === 'help' ? help : await readVersion())
  await readEnvFile(env).catch((error: unknown) => {
    throw new ConfigError([reasonOf(error, '.env')], '.env')
  })
  const given = readArguments(args, env)
  const usual = fileURLToPath(new URL('../../samewire.config.ts', import.meta.url))
  const file = given.config ?? usual
  const over = watchStart(file, stopWith)
  try {
    const job = await readJob(file, given.host, env)
    // Node tells of a rejected promise only after all that is ready has run, which may be the whole start.
    await new Promise((turn) => setImmediate(turn))
    if (given.explains) return await explainInput(job, env)
    await (given.workers === 1 ? serveAlone : serveTogether)(job, given, env, over)
  } finally {
    over()
  }
}

function stopWith(message: string): never {
  console.error(message.split('\n').map(printable).join('\n'))
  process.exit(1)
}

/** `npm start`. Resolves when the gateway listens; otherwise prints the problem and exits. */
export async function main(): Promise<void> {
  await run().catch((error: unknown) => {
    if (error instanceof ConfigError || error instanceof StartError) stopWith(error.message)
    if (error instanceof TypeError && 'code' in error) stopWith(`${error.message}\n${usage}`)
    throw error
  })
}
