import { watch } from 'node:fs'
import { realpath } from 'node:fs/promises'
import { basename, dirname, resolve } from 'node:path'
import { readText } from '../config/text.ts'

/** Milliseconds without an event after which a file counts as written: editors write in several steps. */
const quiet = 100

/**
 * Calls `changed` when a file has other contents than before. Watches its folder, because editors put another file in
 * its place, and the folder of what it links to. Keeps no process alive. `log` is told if the system can't watch.
 */
export async function watchFile(file: string, changed: () => void, log: (message: string) => void): Promise<void> {
  const path = resolve(file)
  // A file that can't be read is another one than one that can.
  const read = () => readText(path).catch(() => undefined)
  let known = await read()
  let timer: NodeJS.Timeout | undefined
  const look = async () => {
    const text = await read()
    if (text === known) return
    known = text
    changed()
  }
  const real = await realpath(path).catch(() => path)
  const names = new Set([basename(path), basename(real)])
  const onEvent = (_: string, name: string | null) => {
    // Kubernetes exchanges the folder `..data` that the file links into.
    if (name !== null && !names.has(name) && !name.startsWith('..')) return
    clearTimeout(timer)
    timer = setTimeout(look, quiet)
    timer.unref()
  }
  for (const folder of new Set([dirname(path), dirname(real)])) {
    const tell = ({ message }: Error) => log(`changes of ${file} go unnoticed (${message}): SIGHUP has it read again`)
    try {
      watch(folder, { persistent: false }, onEvent).on('error', tell)
    } catch (error) {
      tell(error as Error)
    }
  }
}
