import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { reasonOf } from '../config/load.ts'
import { ConfigError } from '../config/problems.ts'
import type { Environment } from '../config/providers.ts'
import { stackOf } from '../config/thrown.ts'
import { type Job, readJob } from './build.ts'

const ownCode = fileURLToPath(new URL('../', import.meta.url))

/** Milliseconds. */
const patience = 10_000

/**
 * Returns a function that reads a job's configuration again. Rejects with a `ConfigError`, also where a configuration
 * that is a program ends the process, throws where nobody catches it, or never comes to its end: others are being served.
 */
export function rereader({ source, host }: Job, env: Environment): () => Promise<Job> {
  let times = 0
  return () => guarded(source, readJob(source, host, env, ++times))
}

async function guarded(source: string, reading: Promise<Job>): Promise<Job> {
  const fails = Promise.withResolvers<never>()
  const refuse = (reason: string) => fails.reject(new ConfigError([reason], source))
  const timer = setTimeout(refuse, patience, 'it waits for something that does not come')
  const onThrown = (thrown: unknown) => {
    if (isOwn(stackOf(thrown))) throw thrown
    refuse(reasonOf(thrown, resolve(source)))
  }
  const { exit } = process
  process.exit = function tryExit(code) {
    const called = new Error('it ends the program')
    Error.captureStackTrace(called, tryExit)
    if (isOwn(stackOf(called))) exit(code)
    throw called
  }
  process.on('uncaughtException', onThrown)
  process.on('unhandledRejection', onThrown)
  try {
    const job = await Promise.race([reading, fails.promise])
    // Node tells of a rejected promise only after all that is ready has run.
    await new Promise((turn) => setImmediate(turn))
    return await Promise.race([fails.promise, job])
  } finally {
    clearTimeout(timer)
    process.exit = exit
    process.off('uncaughtException', onThrown)
    process.off('unhandledRejection', onThrown)
  }
}

/** Whether the gateway's own code is in a stack. The frames of whoever awaits a file say nothing. */
function isOwn(stack: string): boolean {
  return stack.replace(/^ +at async .*$/gm, '').includes(ownCode)
}
