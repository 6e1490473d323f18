import type { Config } from '../config/schema.ts'
import { type Environment, noFindings } from '../config/secrets.ts'
import { readState } from '../config/state.ts'
import type { Database } from '../state/database.ts'
import type { RequestRow } from '../state/ledger.ts'
import { storable } from '../state/request-rows.ts'
import { EndUsers } from '../state/rollups.ts'
import { openD1 } from './d1.ts'
import { databaseOf } from './keeper.ts'
import { writeRows } from './request-ledger.ts'

/** What a queue delivers: lists of rows of the ledger, each at least once. */
export interface Delivered {
  readonly messages: readonly { readonly body: unknown; ack(): void; retry(): void }[]
}

let opened: Database | undefined
const endUsers = new EndUsers()

/** Writes rows from the queue into the database. What can't be written is delivered again. */
export async function writeDelivered({ messages }: Delivered, config: Config, env: Environment): Promise<void> {
  const settings = readState(config, env, noFindings())
  // Without a database they wait, as long as the queue keeps them.
  if (!settings) return retryAll(messages)
  opened ??= openD1(databaseOf(settings, env))
  for (const message of messages) {
    try {
      await writeRows(opened, (message.body as readonly RequestRow[]).map(storable), endUsers)
      message.ack()
    } catch {
      message.retry()
    }
  }
}

function retryAll(messages: Delivered['messages']): void {
  for (const message of messages) message.retry()
}
