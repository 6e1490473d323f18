import { fileURLToPath } from 'node:url'
import type { Clock } from '../core/clock.ts'
import { StoreError, type TransactionalDatabase } from '../state/database.ts'

/**
 * Opens what a URL names: `file:samewire.db`, relative to the working directory, or `postgres://…`. Loads only what that
 * needs. Rejects with a `StoreError`.
 */
export async function openDatabase(url: string, options: { readonly clock: Clock }): Promise<TransactionalDatabase> {
  if (url.startsWith('file:')) {
    const { openSqlite } = await import('./sqlite.ts')
    return openSqlite(url.startsWith('file://') ? fileURLToPath(url) : url.slice('file:'.length), options)
  }
  if (/^postgres(ql)?:\/\//.test(url)) {
    const { openPostgres } = await import('./postgres.ts')
    return openPostgres(url, options)
  }
  throw new StoreError('the URL of a database begins with file: or with postgres://')
}
