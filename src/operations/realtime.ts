import { lateValue } from '../core/late.ts'
import type { Operation } from '../core/operation.ts'
import { identifier, type Random } from '../wire/ids.ts'
import { plainDemand } from './common/plain-demand.ts'
import { operationFacts } from './facts.ts'

/** A conversation by WebSocket. Its messages pass untouched: only its beginning is a request. */
export const realtime: Operation = {
  ...operationFacts.realtime,
  check() {},
  query: plainDemand,
  bounding: lateValue(async () => (await import('./media/bounding.ts')).boundingRealtime),
  fault: () => undefined,
}

/** By which model a session is routed that names none, since it only transcribes or belongs to a call. */
export const usualRealtimeModel = 'gpt-realtime'

/** The event by which a client learns of a failure. */
export function errorEvent(message: string, code: string, random: Random): string {
  return JSON.stringify({
    type: 'error',
    event_id: identifier('event_', random, 21),
    error: { type: 'server_error', code, message, param: null, event_id: null },
  })
}
