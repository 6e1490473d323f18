import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import type { Row, Statement, TransactionalDatabase, Value } from '../../src/state/database.ts'

/** What workerd's binding for D1 sends: https://github.com/cloudflare/workerd/blob/main/src/cloudflare/internal/d1-api.ts */
interface Query {
  readonly sql: string
  readonly params?: readonly Value[]
}

export interface D1Server {
  readonly port: number
  stop(): Promise<void>
}

/** A database for the D1 binding of a Worker in workerd itself, in a process that outlives it. Bytes are not supported. */
export async function startD1(database: TransactionalDatabase): Promise<D1Server> {
  const server = createServer(async (request, response) => {
    const asked = JSON.parse(await text(request)) as Query | readonly Query[]
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify(await answer(database, asked)))
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    async stop() {
      server.closeAllConnections()
      await new Promise((closed) => server.close(closed))
    },
  }
}

async function answer(database: TransactionalDatabase, asked: Query | readonly Query[]): Promise<object> {
  const queries = [asked].flat() as Query[]
  try {
    const results = await database.batch(queries.map(({ sql, params = [] }): Statement => ({ sql, values: params })))
    return results.map((rows) => ({ success: true, meta: {}, results: columnsOf(rows) }))
  } catch (error) {
    return { success: false, error: error instanceof Error ? error.message : String(error) }
  }
}

function columnsOf(rows: readonly Row[]) {
  return { columns: Object.keys(rows[0] ?? {}), rows: rows.map((row) => Object.values(row)) }
}
