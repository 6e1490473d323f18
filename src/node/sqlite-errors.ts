import { StoreError } from '../state/database.ts'

/** https://www.sqlite.org/rescode.html: the low byte of a result code says what kind it is. */
const kinds: Readonly<Record<number, string>> = {
  8: 'can only be read: the gateway needs to write to it, and to the folder it is in',
  10: 'could not be read or written: the disk, or its file system, failed',
  11: 'is damaged: restore it from a copy, or move it away to begin anew',
  13: 'could not be written: the disk is full',
  14: "can't be opened: its folder has to exist, and the gateway needs to write to it",
  23: "can't be opened: access is denied",
  26: 'is no SQLite database: name another file',
}
const busyKinds: ReadonlySet<number> = new Set([5, 6])

/** Whether others have it locked, so that a later try may succeed. */
export function isBusy(error: unknown): boolean {
  return error instanceof StoreError ? error.busy : busyKinds.has(kindOf(error))
}

export function sqliteError(error: unknown, path: string): StoreError {
  const said = error instanceof Error ? error.message : String(error)
  if (isBusy(error)) return new StoreError(`${path} is locked by other processes`, { busy: true, cause: error })
  const known = kinds[kindOf(error)]
  return new StoreError(known ? `${path} ${known}` : `${path}: ${said}`, { cause: error })
}

function kindOf(error: unknown): number {
  const code = error instanceof Error && 'errcode' in error ? error.errcode : undefined
  return typeof code === 'number' ? code & 0xff : 0
}
