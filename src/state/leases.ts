import type { Statements } from './database.ts'
import type { Meter, Reading } from './meters.ts'
import type { Slice } from './slice.ts'

/** A meter in the store, and what one process has leased of it. */
export interface Leased extends Reading {
  readonly asks: number
  /** Undefined: nothing, or the lease is no longer remembered. */
  readonly lease: number | undefined
  /** Whether the lease was written off, since the process seemed dead. */
  readonly writtenOff: boolean
}

const day = 86_400_000
const none: Leased = { spent: 0, held: 0, lost: 0, asks: 0, lease: undefined, writtenOff: false }

/** What happens to leases in the store, as seen by the process `owner`. Each inside a transaction of the caller's. */
export class Leases {
  readonly owner: string

  constructor(owner: string) {
    this.owner = owner
  }

  /** Tells the others that this process lives. Resolves with whether they took it for dead, or never heard of it. */
  async beat(inside: Statements, beat: number): Promise<boolean> {
    const values = [this.owner, beat]
    const known = await inside.all('UPDATE owners SET beat = ?2 WHERE owner = ?1 RETURNING beat', values)
    if (known.length > 0) return false
    await inside.all('INSERT INTO owners (owner, beat) VALUES (?1, ?2)', values)
    return true
  }

  /** Undefined: none, or the process was taken for dead. */
  async lastBeat(inside: Statements): Promise<number | undefined> {
    const [row] = await inside.all('SELECT beat FROM owners WHERE owner = ?1', [this.owner])
    return row && Number(row.beat)
  }

  async read(inside: Statements, { meter }: Slice): Promise<Leased> {
    const [row] = await inside.all(readSql, [this.owner, meter.subject, meter.window])
    if (!row) return none
    const { spent, held, lost, asks, lease, lost_at } = row
    return {
      ...{ spent: Number(spent), held: Number(held), lost: Number(lost), asks: Number(asks) },
      ...{ lease: lease === null ? undefined : Number(lease), writtenOff: lost_at !== null },
    }
  }

  async write(inside: Statements, { meter, returns }: Slice, found: Leased, now: Leased): Promise<void> {
    const { subject, window } = meter
    const { spent, held, lost, asks, lease = 0 } = now
    const changed = spent !== found.spent || held !== found.held || lost !== found.lost || asks !== found.asks
    const leaseChanged = lease !== (found.lease ?? 0) || found.writtenOff
    const mine = [this.owner, subject, window]
    await Promise.all([
      changed && inside.all(writeSql, [subject, window, spent, held, lost, asks]),
      leaseChanged && (lease > 0 ? inside.all(leaseSql, [...mine, lease, returns ? 1 : 0]) : inside.all(freeSql, mine)),
    ])
  }
}

/** Books all that `owner` has leased as spent and lost, and resolves with how much. What only returns is free again. */
export async function writeOff(inside: Statements, owner: string, now: number): Promise<number> {
  const [row] = await inside.all(lostSql, [owner])
  await inside.all(writeOffSql, [owner])
  await inside.all('UPDATE leases SET lost_at = ?2 WHERE owner = ?1 AND lost_at IS NULL AND returns = 0', [owner, now])
  await inside.all('DELETE FROM leases WHERE owner = ?1 AND lost_at IS NULL', [owner])
  await inside.all('DELETE FROM leases WHERE lost_at < ?1', [now - day])
  await inside.all('DELETE FROM owners WHERE owner = ?1', [owner])
  return Number(row?.lost ?? 0)
}

/** Gives back what was lost. A process that was only slow, and says so later, is booked on top. */
export async function forgive(
  inside: Statements,
  { subject, window }: Pick<Meter, 'subject' | 'window'>,
): Promise<void> {
  const where = 'WHERE subject = ?1 AND since = ?2'
  await inside.all(`UPDATE meters SET spent = spent - lost, lost = 0 ${where}`, [subject, window])
  await inside.all(`DELETE FROM leases ${where} AND lost_at IS NOT NULL`, [subject, window])
}

const lostSql = `SELECT CAST(COALESCE(SUM(held), 0) AS BIGINT) AS lost FROM leases
  WHERE owner = ?1 AND lost_at IS NULL AND returns = 0`

const readSql = `SELECT meters.spent, meters.held, meters.lost, meters.asks, leases.held AS lease, leases.lost_at
  FROM meters LEFT JOIN leases
    ON leases.owner = ?1 AND leases.subject = meters.subject AND leases.since = meters.since
  WHERE meters.subject = ?2 AND meters.since = ?3`

const writeSql = `INSERT INTO meters (subject, since, spent, held, lost, asks) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
  ON CONFLICT (subject, since) DO UPDATE
  SET spent = excluded.spent, held = excluded.held, lost = excluded.lost, asks = excluded.asks`

const leaseSql = `INSERT INTO leases (owner, subject, since, held, returns) VALUES (?1, ?2, ?3, ?4, ?5)
  ON CONFLICT (owner, subject, since) DO UPDATE SET held = excluded.held, lost_at = NULL`

const freeSql = 'DELETE FROM leases WHERE owner = ?1 AND subject = ?2 AND since = ?3'

const writeOffSql = `UPDATE meters SET
    held = meters.held - leases.held,
    spent = meters.spent + leases.held * (1 - leases.returns),
    lost = meters.lost + leases.held * (1 - leases.returns)
  FROM leases
  WHERE leases.owner = ?1 AND leases.lost_at IS NULL
    AND leases.subject = meters.subject AND leases.since = meters.since`
