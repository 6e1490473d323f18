import { isObject, type JsonObject, tryParse } from '../wire/json.ts'
import type { Row } from './database.ts'
import type { Key, KeyLimits } from './key.ts'

/** The columns that `keyOf` reads, of `keys` or of what stands for it. */
export const keyColumns =
  'id, name, hint, project_id, home, user_id, disabled, deleted, expires_at, created_at, changed_at, revision, limits, metadata'

/** A row of `keys` as a key. */
export function keyOf(row: Row): Key {
  const { project_id: project, home, user_id: user, expires_at: expiresAt, changed_at: changedAt } = row
  const createdAt = Number(row.created_at)
  return {
    id: String(row.id),
    name: String(row.name),
    hint: String(row.hint),
    ...(typeof project === 'string' && { project }),
    ...(typeof home === 'string' && { home }),
    ...(typeof user === 'string' && { user }),
    disabled: row.disabled === 1,
    ...(typeof expiresAt === 'number' && { expiresAt }),
    createdAt,
    ...(typeof changedAt === 'number' && changedAt !== createdAt && { updatedAt: changedAt }),
    // Only `limitsText` writes there.
    limits: objectIn(row.limits) as KeyLimits,
    metadata: objectIn(row.metadata),
  }
}

/** Limits as they are stored: those that are absent are left out. */
export const limitsText = (limits: KeyLimits): string => JSON.stringify(limits)

/** What a column of JSON has. */
export function objectIn(text: unknown): JsonObject {
  const value = tryParse(String(text))
  return isObject(value) ? value : {}
}
