import type { Clock } from '../core/clock.ts'
import type { Log } from '../core/log.ts'
import { type Database, type Row, type Statement, StoreError, type Value } from './database.ts'
import type { Project, Projects } from './key.ts'
import { projectColumns, projectOf } from './project-rows.ts'
import { hexOf, type SecureBytes } from './secret.ts'

/** What an operator decides about a project. */
export type ProjectTerms = Pick<Project, 'name' | 'limits' | 'metadata'>

/** Makes projects and changes them. Methods reject with a `StoreError`. */
export interface ProjectStore {
  /** `id`: that of its keys, if they have one already. Undefined: there is such a project. */
  create(terms: ProjectTerms, id?: string): Promise<Project | undefined>
  /** Newest first; `after` is the id of the one before. */
  list(query: {
    readonly archived: boolean
    readonly after?: string | undefined
    readonly limit: number
  }): Promise<readonly Project[]>
  get(id: string): Promise<Project | undefined>
  /** `change` may be asked again, if somebody else changed it meanwhile. Undefined: there is none. */
  update(id: string, change: (project: Project) => ProjectTerms): Promise<Project | undefined>
  /** Its keys are refused from then on. Undefined: there is none. */
  archive(id: string): Promise<Project | undefined>
}

/** All projects of a database, in memory. Changes by other processes are seen after a while. */
export interface ProjectBook extends Projects {
  readonly store: ProjectStore
  all(): Iterable<Project>
  close(): void
}

export interface ProjectBookOptions {
  readonly database: Database
  readonly clock: Clock
  readonly log: Log
  readonly secure: SecureBytes
  /** Milliseconds between two looks at the database. Default 250. */
  readonly every?: number
}

/** How often an update is tried anew that others have come before. */
const mostTries = 10

/** Reads all projects. Rejects with a `StoreError`; once it has resolved, a database that fails leaves what was read. */
export async function openProjects(options: ProjectBookOptions): Promise<ProjectBook> {
  const { database, clock, log, every = 250 } = options
  let found: ReadonlyMap<string, Project> = new Map()
  let seen = 0
  let isFailing = false
  let isClosed = false
  let cancel = () => {}

  async function refresh(): Promise<void> {
    const [told] = await database.all("SELECT value FROM revisions WHERE name = 'projects'")
    const newest = Number(told?.value ?? 0)
    if (newest === seen) return
    const rows = await database.all(`SELECT ${projectColumns} FROM projects`)
    found = new Map(rows.map((row) => [String(row.id), projectOf(row)]))
    seen = newest
  }

  function look(): void {
    cancel = clock.after(every, async () => {
      try {
        await refresh()
        isFailing = false
      } catch (error) {
        if (!isFailing) log(`The projects can't be read, so those known stay: ${(error as Error).message}`, 'warn')
        isFailing = true
      }
      if (!isClosed) look()
    })
  }

  await refresh()
  look()
  return {
    of: ({ project }) => (project === undefined ? undefined : found.get(project)),
    all: () => found.values(),
    store: createProjectStore(options, () => refresh().catch(() => {})),
    close() {
      isClosed = true
      cancel()
    },
  }
}

/** `changed` is called after each change, which is told once that is over. It never rejects. */
export function createProjectStore(
  { database, clock, secure }: Omit<ProjectBookOptions, 'log'>,
  changed: () => Promise<void>,
): ProjectStore {
  const now = () => Math.floor(clock.now())

  /** Runs what changes one project. */
  async function write(statement: Statement): Promise<Project | undefined> {
    const [, rows] = await database.batch([nextRevision, statement])
    // It is written, whatever comes of telling it.
    await changed()
    return rows?.[0] && projectOf(rows[0])
  }

  async function find(id: string): Promise<Row | undefined> {
    const [row] = await database.all(`SELECT ${projectColumns} FROM projects WHERE id = ?1`, [id])
    return row
  }

  return {
    create({ name, limits, metadata }, given) {
      const at = now()
      const id = given ?? `proj_${at.toString(16).padStart(12, '0')}${hexOf(secure(6))}`
      return write({
        sql: `INSERT INTO projects (id, name, created_at, changed_at, limits, metadata, revision)
          VALUES (?1, ?2, ?3, ?3, ?4, ?5, ${revision}) ON CONFLICT (id) DO NOTHING RETURNING ${projectColumns}`,
        values: [id, name, at, JSON.stringify(limits), JSON.stringify(metadata)],
      })
    },

    async list({ archived, after, limit }) {
      const values: Value[] = [limit]
      const only = archived ? [] : ['archived_at IS NULL']
      if (after !== undefined) {
        const last = await find(after)
        const at = values.push(Number(last?.created_at ?? 0))
        only.push(`(created_at < ?${at} OR (created_at = ?${at} AND id < ?${values.push(after)}))`)
      }
      const where = only.length === 0 ? '' : `WHERE ${only.join(' AND ')}`
      const sql = `SELECT ${projectColumns} FROM projects ${where} ORDER BY created_at DESC, id DESC LIMIT ?1`
      return (await database.all(sql, values)).map(projectOf)
    },

    async get(id) {
      const row = await find(id)
      return row && projectOf(row)
    },

    async update(id, change) {
      for (let tries = 0; tries < mostTries; tries++) {
        const row = await find(id)
        if (!row) return undefined
        const { name, limits, metadata } = change(projectOf(row))
        const written = await write({
          sql: `UPDATE projects SET name = ?2, limits = ?3, metadata = ?4, changed_at = ?5, revision = ${revision}
            WHERE id = ?1 AND revision = ?6 RETURNING ${projectColumns}`,
          values: [id, name, JSON.stringify(limits), JSON.stringify(metadata), now(), row.revision ?? null],
        })
        if (written) return written
      }
      throw new StoreError('others are changing the project all the time', { busy: true })
    },

    archive: (id) =>
      write({
        sql: `UPDATE projects SET archived_at = COALESCE(archived_at, ?2), changed_at = ?2, revision = ${revision}
          WHERE id = ?1 RETURNING ${projectColumns}`,
        values: [id, now()],
      }),
  }
}

const nextRevision = { sql: "UPDATE revisions SET value = value + 1 WHERE name = 'projects'" }
const revision = "(SELECT value FROM revisions WHERE name = 'projects')"
