import type { Clock } from '../core/clock.ts'
import type { Key, Keys } from '../state/key.ts'
import type { KeyStore } from '../state/key-store.ts'
import type { Ledger, Usage } from '../state/ledger.ts'
import type { MeterBook, MeterName } from '../state/meters.ts'
import type { ProjectStore } from '../state/project-store.ts'
import { windowAt } from '../state/window.ts'
import { GatewayError } from '../wire/errors.ts'

/** What a gateway keeps beyond requests, for those who look after it. */
export interface AdminState {
  readonly keys: KeyStore
  /** Finds who asks, for what holders of keys may see themselves. */
  readonly holders: Keys
  readonly projects: ProjectStore
  readonly usage: Usage
  /** What has been written by this process is read as well. */
  readonly ledger: Pick<Ledger, 'flush'>
  readonly meters: MeterBook
  readonly clock: Pick<Clock, 'now'>
}

interface Kept {
  readonly state?: (() => Promise<AdminState>) | undefined
}

/** The meter of a key's budget. */
export function budgetMeter({ id, home, limits: { budgetReset = null } }: Key, now: number): MeterName {
  return { subject: `key:${id}`, window: windowAt(budgetReset, now), home }
}

export const noState =
  'This gateway keeps no keys, budgets and usage. Set `state` in its configuration, such as `state: {url: file:samewire.db}`.'

/** What is kept. Rejects with a 404 where nothing is. */
export async function stateOf({ state }: Kept): Promise<AdminState> {
  if (!state) throw withoutState()
  return await state()
}

/** The same, with the requests that have only just ended. */
export async function countedState(scope: Kept): Promise<AdminState> {
  const state = await stateOf(scope)
  await state.ledger.flush()
  return state
}

function withoutState(): GatewayError {
  return new GatewayError('bad_request', noState, { status: 404, code: 'unknown_url' })
}
