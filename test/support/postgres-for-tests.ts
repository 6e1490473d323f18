import { afterAll } from 'vitest'
import { type PostgresServer, startPostgres } from './postgres.ts'

/** The server for the tests of a file, stopped after them. Without PostgreSQL there is none, and a line says so. */
export async function postgresForTests(): Promise<PostgresServer | undefined> {
  const server = await startPostgres()
  if (server) afterAll(() => server.stop())
  else console.log('PostgreSQL is not installed: what needs it is not tested')
  return server
}
