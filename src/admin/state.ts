import type { Clock } from '../core/clock.ts'
import type { Key, Keys } from '../state/key.ts'
import type { KeyStore } from '../state/key-store.ts'
import type { Usage } from '../state/ledger.ts'
import type { MeterBook } from '../state/meters.ts'
import { GatewayError } from '../wire/errors.ts'

/** What a gateway keeps beyond requests, for those who look after it. */
export interface AdminState {
  readonly keys: KeyStore
  /** Finds who asks, for what holders of keys may see themselves. */
  readonly holders: Keys
  readonly usage: Usage
  readonly meters: MeterBook
  readonly clock: Pick<Clock, 'now'>
}

/** The meter of a key's budget. */
export const budgetSubject = ({ id }: Pick<Key, 'id'>): string => `key:${id}`

export const noState =
  'This gateway keeps no keys, budgets and usage. Set `state` in its configuration, such as `state: {url: file:samewire.db}`.'

export function withoutState(): GatewayError {
  return new GatewayError('bad_request', noState, { status: 404, code: 'unknown_url' })
}
