import type { Row } from './database.ts'
import type { Project, ProjectLimits } from './key.ts'
import { objectIn } from './key-rows.ts'

/** The columns that `projectOf` reads. */
export const projectColumns = 'id, name, created_at, archived_at, revision, limits, metadata'

/** A row of `projects` as a project. */
export function projectOf(row: Row): Project {
  const { archived_at: archivedAt } = row
  return {
    id: String(row.id),
    name: String(row.name),
    createdAt: Number(row.created_at),
    ...(typeof archivedAt === 'number' && { archivedAt }),
    // Only the store writes there.
    limits: objectIn(row.limits) as ProjectLimits,
    metadata: objectIn(row.metadata),
  }
}
