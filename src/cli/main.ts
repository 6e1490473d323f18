import { readFile } from 'node:fs/promises'
import { readEnvFile } from '../node/env-file.ts'
import { Failure } from './command.ts'
import { runCommand } from './program.ts'

/** Runs a command of `samewire`, and sets the exit code. */
export async function main(args: readonly string[]): Promise<true> {
  // Whoever reads the output, such as `head`, may have read enough.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    process.exit(0)
  })
  const { stdin: input, stdout: output, stderr: errors, env } = process
  const version = await readVersion()
  process.exitCode = await runCommand(args, { input, output, errors, env, version, prepare })
  return true
}

async function prepare(): Promise<void> {
  await readEnvFile(process.env).catch(async (error: unknown) => {
    const { reasonOf } = await import('../config/load.ts')
    throw new Failure(`.env can't be used:\n  ${reasonOf(error, '.env')}`)
  })
}

/** The version in package.json. */
async function readVersion(): Promise<string> {
  const manifest: unknown = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8'))
  return String(Reflect.get(Object(manifest), 'version'))
}
