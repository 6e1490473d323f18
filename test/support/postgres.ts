import { type ChildProcessByStdio, execFileSync, spawn, spawnSync } from 'node:child_process'
import { chown, mkdtemp, readdir, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { systemClock } from '../../src/core/clock.ts'
import { openPostgres } from '../../src/node/postgres.ts'
import type { TransactionalDatabase } from '../../src/state/database.ts'

/** A server of its own, on this machine only. */
export interface PostgresServer {
  /** Makes an empty place for tables, and resolves with its URL. */
  database(): Promise<string>
  /** Ends all connections, as an operator does. */
  disconnectAll(): Promise<void>
  /** Stops the server as for a restart, and resolves with what starts it again. */
  leave(): Promise<() => Promise<void>>
  stop(): Promise<void>
}

/** Debian's packages keep its programs out of `PATH`. */
async function programs(): Promise<string | undefined> {
  const versions = await readdir('/usr/lib/postgresql').catch(() => [])
  const folders = versions.map((version) => `/usr/lib/postgresql/${version}/bin/`)
  return ['', ...folders].find((folder) => !spawnSync(`${folder}initdb`, ['--version']).error)
}

/** It refuses to run as root. */
function user(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined
  const id = (flag: string) => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }))
  return { uid: id('-u'), gid: id('-g') }
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const address = server.address()
  await new Promise((closed) => server.close(closed))
  return typeof address === 'object' && address ? address.port : 0
}

/** Undefined where PostgreSQL isn't installed. */
export async function startPostgres(): Promise<PostgresServer | undefined> {
  const bin = await programs()
  if (bin === undefined) return undefined
  const folder = await mkdtemp(join(tmpdir(), 'postgres-'))
  const as = user()
  if (as) await chown(folder, as.uid, as.gid)
  const data = join(folder, 'data')
  const flags = ['--pgdata', data, '--username', 'samewire', '--auth', 'trust', '--no-sync', '--encoding', 'UTF8']
  execFileSync(`${bin}initdb`, flags, { ...as, cwd: folder, stdio: 'ignore' })
  const port = await freePort()
  const settings = [
    'listen_addresses=127.0.0.1',
    `unix_socket_directories=${folder}`,
    'fsync=off',
    'max_connections=100',
  ]
  const args = ['-D', data, '-p', String(port), ...settings.flatMap((setting) => ['-c', setting])]
  let running = await serve(() =>
    spawn(`${bin}postgres`, args, { ...as, cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] }),
  )
  const url = `postgres://samewire@127.0.0.1:${port}/postgres`
  const root: TransactionalDatabase = await openPostgres(url, { clock: systemClock })
  let made = 0
  return {
    async database() {
      const name = `test_${++made}`
      // A database of its own would take ten times as long.
      await root.all(`CREATE SCHEMA ${name}`)
      return `${url}?options=-c%20search_path%3D${name}`
    },
    async disconnectAll() {
      const others = 'pid <> pg_backend_pid() AND datname = current_database()'
      await root.all(`SELECT CAST(pg_terminate_backend(pid) AS TEXT) AS done FROM pg_stat_activity WHERE ${others}`)
    },
    async leave() {
      await running.end()
      return async () => {
        running = await running.again()
      }
    },
    async stop() {
      await root.close()
      await running.end()
      await rm(folder, { recursive: true })
    },
  }
}

/** Resolves once the server takes connections. */
async function serve(start: () => ChildProcessByStdio<null, null, Readable>): Promise<Running> {
  const child = start()
  const ended = new Promise((resolve) => child.once('exit', resolve))
  await new Promise<void>((ready, fail) => {
    let said = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text
      if (said.includes('ready to accept connections')) ready()
    })
    child.once('exit', () => fail(new Error(said)))
  })
  return {
    again: () => serve(start),
    async end() {
      child.kill('SIGINT')
      await ended
    },
  }
}

interface Running {
  end(): Promise<void>
  again(): Promise<Running>
}
