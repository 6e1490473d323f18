import { GatewayError } from '../wire/errors.ts'
import { askedFields } from './asked.ts'
import type { Call } from './call.ts'
import { droppableOf, mayDrop } from './features.ts'
import type { Omission } from './omission.ts'

/** What an answer to the call may leave out; undefined for nearly all calls. */
export function omissionFor(call: Call): Omission | undefined {
  return call.operation.omission?.(askedFields(call))
}

/** Throws a 400, unless the configuration allows to leave the field out: then the answer says that it was. */
export function refuseOmission({ feature }: Omission, call: Call): void {
  const { find, fields = [] } = call.operation.features?.[feature] ?? {}
  const param = find?.(askedFields(call)) ?? feature
  if (mayDrop(fields, droppableOf(call.target))) {
    call.trace.dropped = [...new Set([...(call.trace.dropped ?? []), param])]
    return
  }
  const message = `Unsupported parameter: '${param}' is not supported with this model: its answers come without.`
  throw new GatewayError('incapable', message, { param, lacks: feature })
}
