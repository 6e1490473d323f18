import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { reasonOf } from '../config/load.ts'
import { ConfigError } from '../config/problems.ts'
import { stackOf } from '../config/thrown.ts'

const ownCode = fileURLToPath(new URL('../', import.meta.url))

/**
 * A configuration is a program, and may end the process before the gateway listens: by an exit, by an error that nobody
 * catches, or by waiting for something that never happens. Node prints a stack for that, or nothing. This has `stopWith`
 * told a sentence instead. Returns a function that ends the watch.
 */
export function watchStart(file: string, stopWith: (message: string) => never): () => void {
  function refuse(reason: string): never {
    over()
    return stopWith(new ConfigError([reason], file).message)
  }
  const onExit = () => refuse('it ends the program before the gateway listens')
  const onIdle = () => refuse('it waits for something that never comes')
  const onThrown = (thrown: unknown) => {
    const stack = stackOf(thrown)
    // The frames of whoever awaited the file are the gateway's own, and say nothing.
    if (!stack.replace(/^ +at async .*$/gm, '').includes(ownCode)) refuse(reasonOf(thrown, resolve(file)))
    over()
    // A bug of the gateway: its stack helps.
    console.error(stack)
    process.exit(1)
  }
  function over(): void {
    process.off('exit', onExit)
    process.off('beforeExit', onIdle)
    process.off('uncaughtException', onThrown)
    process.off('unhandledRejection', onThrown)
  }
  process.on('exit', onExit)
  process.on('beforeExit', onIdle)
  process.on('uncaughtException', onThrown)
  process.on('unhandledRejection', onThrown)
  return over
}
