import { watch } from 'node:fs'
import { realpath, stat } from 'node:fs/promises'
import { basename, dirname, resolve } from 'node:path'
import { readText } from '../config/text.ts'

/** Milliseconds without an event after which a file counts as written: editors write in several steps. */
const quiet = 100

export interface WatchOptions {
  /** When the file was last read, in milliseconds since 1970. */
  readonly since: number
  /** Called when it has other contents than before. */
  readonly changed: () => void
  /** Told if the system can't watch. */
  readonly log: (message: string) => void
}

/**
 * Watches a file by its folder, because editors put another file in its place, and by the folder of what it links to.
 * Keeps no process alive. Resolves when it watches.
 */
export async function watchFile(file: string, { since, changed, log }: WatchOptions): Promise<void> {
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
  // What was written between its reading and now. Not by when it was modified: a file may be written before it gets its name.
  const now = await stat(path).catch(() => undefined)
  if (now && now.ctimeMs > since) changed()
}
