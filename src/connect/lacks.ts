import type { Call } from '../core/call.ts'
import { type Droppable, droppableOf, mayDrop } from '../core/features.ts'
import type { OperationSpec, Remedy } from '../core/provider.ts'
import { areSynonyms } from '../core/synonyms.ts'
import { GatewayError } from '../wire/errors.ts'
import type { JsonObject } from '../wire/json.ts'
import { settledBody, settledOutline } from './changes.ts'
import { isSpare } from './spare.ts'

type Asking = Pick<Call, 'operation' | 'body' | 'target' | 'optional'>

/**
 * The fields to leave out of a request because the upstream doesn't support them and the configuration allows it, or
 * because it answers without them as well as it can, such as a model that can't think. Throws a 400 for those that it
 * doesn't allow to leave out: the upstream would ignore them without a word.
 */
export function dropsFor(call: Asking, { lacks = [], encode }: OperationSpec, remedy: Remedy): string[] {
  const { refused = [], drop = [] } = remedy
  if (lacks.length === 0 && refused.length === 0 && drop.length === 0) return []
  const { features = {} } = call.operation
  const droppable = droppableFrom(call)
  // A translation parses the whole request anyway.
  const body = encode ? settledBody(call) : settledOutline(call)
  const dropped = withCompanions(refused, call).filter((name) => isGiven(body, name))
  // What the gateway does itself instead is missed by nobody.
  if (!call.operation.heal) dropped.push(...drop.filter((name) => isGiven(body, name) && isMissed(name, body[name])))
  for (const feature of lacks) {
    const { find, fields = [] } = features[feature] ?? {}
    const param = find?.(body)
    if (param === undefined) continue
    if (!mayDrop(fields, droppable)) throw unsupported(param)
    dropped.push(...fields.filter((name) => isGiven(body, name)))
  }
  return [...new Set(dropped)]
}

/** Whether the configuration allows to leave a field out of a request to the call's target. */
export function mayDropFrom(call: Asking, field: string): boolean {
  return withCompanions([field], call).length > 0
}

/** Those of the fields that may be left out, and those that stand for nothing without them. */
function withCompanions(names: readonly string[], call: Asking): string[] {
  const groups = Object.values(call.operation.features ?? {}).map(({ fields = [] }) => fields)
  return names.flatMap((name) => {
    const group = groups.find((fields) => fields.includes(name)) ?? [name]
    return mayDrop(group, droppableFrom(call)) || isForChat(name, call) ? group : []
  })
}

function droppableFrom({ target, optional = [] }: Asking): Droppable | undefined {
  const allowed = droppableOf(target)
  return allowed === true || optional.length === 0 ? allowed : [...(allowed ?? []), ...optional]
}

/** Whether a field comes from a configuration alone, which is made for chats: another operation may know no such field. */
function isForChat(name: string, { operation, body: { outline } }: Asking): boolean {
  return (
    operation.inOwnNames !== undefined && !Object.keys(outline).some((own) => own === name || areSynonyms(own, name))
  )
}

/** Whether a request asks for anything with a value, of which its client must hear if it is left out. */
function isMissed(name: string, value: unknown): boolean {
  return value !== false && !isSpare(name, value)
}

function isGiven(body: JsonObject, name: string): boolean {
  return body[name] !== undefined && body[name] !== null
}

function unsupported(param: string): GatewayError {
  return new GatewayError('incapable', `Unsupported parameter: '${param}' is not supported with this model.`, { param })
}
