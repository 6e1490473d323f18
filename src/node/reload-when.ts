import { closeSync, openSync } from 'node:fs'
import type { Job } from './build.ts'
import type { LiveConfig } from './live-config.ts'
import { watchFile } from './watch-file.ts'

/** Has the configuration read again when its file changes, and at a SIGHUP. Resolves when no change goes unseen. */
export async function reloadWhenTold(
  live: LiveConfig,
  { source, loaded }: Job,
  log: (message: string) => void,
): Promise<void> {
  const again = (cause: 'file' | 'signal') =>
    live.reload(cause).catch((error: unknown) => log(`the configuration could not be read again: ${error}`))
  process.on('SIGHUP', () => {
    // The same signal tells the programs of a terminal that it was closed.
    if (process.stdin.isTTY && !hasTerminal()) process.kill(process.pid, 'SIGTERM')
    else void again('signal')
  })
  await watchFile(source, { since: loaded, changed: () => void again('file'), log })
}

function hasTerminal(): boolean {
  try {
    closeSync(openSync('/dev/tty', 'r'))
    return true
  } catch {
    return false
  }
}
