import { closeSync, openSync } from 'node:fs'
import type { LiveConfig } from './live-config.ts'
import { watchFile } from './watch-file.ts'

/** Has the configuration read again when its file changes, and at a SIGHUP. */
export function reloadWhenTold(live: LiveConfig, file: string, log: (message: string) => void): void {
  const again = (cause: 'file' | 'signal') =>
    live.reload(cause).catch((error: unknown) => log(`the configuration could not be read again: ${error}`))
  void watchFile(file, () => void again('file'), log)
  process.on('SIGHUP', () => {
    // The same signal tells the programs of a terminal that it was closed.
    if (process.stdin.isTTY && !hasTerminal()) process.kill(process.pid, 'SIGTERM')
    else void again('signal')
  })
}

function hasTerminal(): boolean {
  try {
    closeSync(openSync('/dev/tty', 'r'))
    return true
  } catch {
    return false
  }
}
