import type { ObjectSettings } from '../../src/config/state.ts'
import { systemClock } from '../../src/core/clock.ts'
import type { TransactionalDatabase } from '../../src/state/database.ts'
import type { KeyLimits } from '../../src/state/key.ts'
import type { RequestRow } from '../../src/state/ledger.ts'
import { createObjects } from '../../src/state/object-store.ts'
import { Background } from '../../src/stored/background.ts'
import { createStoredHost, type StoredHost } from '../../src/stored/host.ts'
import { keptInMemory } from './accounting.ts'
import type { GatewayOptions } from './gateway.ts'
import { memoryDatabase } from './state.ts'

/** What a gateway needs to keep what clients store, and two keys of clients. */
export interface StoredParts extends Required<Pick<GatewayOptions, 'accounting' | 'stored' | 'env'>> {
  readonly database: TransactionalDatabase
  readonly logged: string[]
  /** Of the ledger. */
  readonly rows: readonly RequestRow[]
}

export const [ada, eve] = ['sk-sw-ada', 'sk-sw-eve'] as const

/** `database`: another gateway's, as of a second process. `limits`: of both keys. */
export async function storedParts(
  database?: TransactionalDatabase,
  limits: KeyLimits = {},
  settings: ObjectSettings = {},
): Promise<StoredParts> {
  const kept = await keptInMemory()
  for (const [id, secret] of Object.entries({ key_ada: ada, key_eve: eve })) kept.put(secret, { id, name: id, limits })
  const logged: string[] = []
  const own = database ?? (await memoryDatabase())
  const stored: StoredHost = createStoredHost({
    objects: createObjects(own),
    clock: systemClock,
    random: Math.random,
    log: (line) => void logged.push(line),
    settings,
    background: (keeping) => new Background(keeping),
  })
  return {
    accounting: kept.accounting,
    stored,
    env: { SAMEWIRE_ADMIN_KEY: 'sk-admin-0123456789abcdef' },
    database: own,
    logged,
    rows: kept.rows,
  }
}
