import { DatabaseSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import { parentPort, workerData } from 'node:worker_threads'

/** Milliseconds. Whoever reads for longer has the log wait for the next time. */
const patience = 100

/** The thread of `Checkpoints`. */
const file = pathToFileURL(String(workerData))
// Never makes one.
file.searchParams.set('mode', 'rw')
const connection = new DatabaseSync(file, { timeout: patience })
connection.exec('PRAGMA synchronous = normal')

/** Whether it was done; if others are at it, the next time is soon enough. */
function tried(sql: string): boolean {
  try {
    const [row] = connection.prepare(sql).all()
    return row?.busy !== 1
  } catch {
    return false
  }
}

function checkpoint(): void {
  // Most of it, while others write, and then what they have written meanwhile, while they wait.
  if (!tried('PRAGMA wal_checkpoint(PASSIVE)') || !tried('PRAGMA wal_checkpoint(RESTART)')) return
  // Whoever writes next begins the log anew, and waits for the disk.
  const [version] = connection.prepare('PRAGMA user_version').all()
  tried(`PRAGMA user_version = ${Number(version?.user_version ?? 0)}`)
}

parentPort?.on('message', (order: 'checkpoint' | 'close') => {
  if (order === 'checkpoint') {
    checkpoint()
    parentPort?.postMessage('done')
    return
  }
  connection.close()
  parentPort?.close()
})
