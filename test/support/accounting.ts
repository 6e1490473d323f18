import { createHash } from 'node:crypto'
import { type Accounting, createAccounting } from '../../src/accounts/accounting.ts'
import { limiterOf } from '../../src/accounts/limiter.ts'
import { Rates } from '../../src/accounts/rates.ts'
import type { Clock } from '../../src/core/clock.ts'
import { systemClock } from '../../src/core/clock.ts'
import { loadPrices } from '../../src/prices/load.ts'
import type { Key, Project } from '../../src/state/key.ts'
import type { RequestRow } from '../../src/state/ledger.ts'
import { MemoryMeters } from '../../src/state/memory-meters.ts'
import type { Meters } from '../../src/state/meters.ts'

export interface KeptAccounting {
  readonly accounting: Accounting
  readonly meters: MemoryMeters
  /** What was written down. */
  readonly rows: RequestRow[]
  /** Adds a key, or changes it. */
  put(secret: string, key: Partial<Key>): void
  /** Adds a project, or changes it. */
  putProject(project: Partial<Project>): void
}

export const digestOf = (secret: string) => createHash('sha256').update(secret).digest('hex')

/** Limits and budgets that are kept in memory. */
export async function keptInMemory(clock: Clock = systemClock, refusing?: Meters): Promise<KeptAccounting> {
  const meters = new MemoryMeters()
  const keys = new Map<string, Key>()
  const projects = new Map<string, Project>()
  const rows: RequestRow[] = []
  const accounting = createAccounting({
    clock,
    limiter: limiterOf(new Rates(clock), refusing ?? meters),
    keys: { find: (digest) => keys.get(digest), any: () => keys.size > 0 },
    projects: { of: ({ project = '' }) => projects.get(project) },
    ledger: { write: (row) => void rows.push(typeof row === 'function' ? row() : row), flush: async () => {} },
    catalogue: await loadPrices(),
    digest: digestOf,
  })
  return {
    accounting,
    meters,
    rows,
    put: (secret, key) =>
      keys.set(digestOf(secret), {
        ...{ id: 'key_1', name: 'test', hint: 'sk-sw-…', disabled: false, createdAt: 0, limits: {}, metadata: {} },
        ...key,
      }) && undefined,
    putProject: (project) => {
      const made = { id: 'proj_1', name: 'all', createdAt: 0, limits: {}, metadata: {}, ...project }
      projects.set(made.id, made)
    },
  }
}
