import type { Call } from '../core/call.ts'
import type { Deployment } from '../core/catalog.ts'
import type { Operation } from '../core/operation.ts'
import type { Remedy } from '../core/provider.ts'
import { type Asked, type Changes, put, settle, valueAs } from '../core/synonyms.ts'
import type { JsonObject } from '../wire/json.ts'
import { hasEffort, limitEffort, sayEffort } from './effort.ts'
import { fieldIn } from './fields.ts'
import { withInstructions } from './instructions.ts'
import { isSpare } from './spare.ts'
import { withoutThoughts } from './thoughts.ts'
import { agreeOnTools } from './tool-fields.ts'

type Asking = Pick<Call, 'operation' | 'body' | 'target'>

/**
 * What a deployment's configuration and remedies change in a request. Undefined if that is nothing but the model's name,
 * as in most requests: their bytes pass as they are.
 */
export function changesOf(asking: Asking, remedy: Remedy): Changes | undefined {
  const { body, target } = asking
  const { deployment } = target
  if (isPlain(deployment) && isEmpty(remedy) && !hasEffort(deployment.provider, body.outline)) return undefined
  const changes = settled(asking)
  cure(changes, body, remedy)
  return changes
}

/** The client's request with the deployment's configuration, as an object. */
export function settledBody(asking: Asking): JsonObject {
  const { body, target } = asking
  const { deployment } = target
  if (isPlain(deployment) && !hasEffort(deployment.provider, body.outline)) {
    return { ...body.json, model: deployment.model }
  }
  return changed(body.json, settled(asking))
}

/** What the configuration changes. */
function settled({ operation, body, target: { deployment } }: Asking): Changes {
  const changes = settle(body, inNamesOf(operation, deployment))
  agreeOnTools(changes, (name) => fieldIn(changes, body, name))
  put(changes, 'model', deployment.model)
  sayEffort(changes, body, deployment.provider, deployment.model)
  return changes
}

/** A configuration's fields by the names that the operation has for them. */
function inNamesOf({ inOwnNames }: Operation, { defaults, overrides }: Deployment) {
  return inOwnNames ? { defaults: inOwnNames(defaults), overrides: inOwnNames(overrides) } : { defaults, overrides }
}

/** The same from the outline alone, in which long texts are marks. */
export function settledOutline({ operation, body, target }: Asking): JsonObject {
  const { outline } = body
  if (isPlain(target.deployment)) return outline
  return changed(outline, settle({ outline, json: outline }, inNamesOf(operation, target.deployment)))
}

/** The same, or the request for the rest if there is a part of the answer already: whoever asks for it has loaded how. */
export function askedBody(call: Call): JsonObject {
  const body = settledBody(call)
  return call.begun ? (call.operation.continuing?.value?.request(body, call.begun) ?? body) : body
}

/** A request as it is to go up, with the remedies for what the upstream refused before. */
export function cured(body: JsonObject, remedy: Remedy): JsonObject {
  if (isEmpty(remedy)) return body
  const changes: Changes = { set: new Map(), drop: new Set() }
  cure(changes, { outline: body, json: body }, remedy)
  return changed(body, changes)
}

function changed(body: JsonObject, { set, drop }: Changes): JsonObject {
  const kept = Object.entries(body).filter(([name]) => !drop.has(name) && !set.has(name))
  return Object.fromEntries([...kept, ...set])
}

function cure(changes: Changes, body: Asked, remedy: Remedy): void {
  const { drop = [], spare = [], rename = {}, instructions, efforts, thoughts } = remedy
  const leaveOut = (name: string) => {
    changes.set.delete(name)
    changes.drop.add(name)
  }
  for (const [old, name] of Object.entries(rename)) {
    const value = fieldIn(changes, body, old)
    if (value === undefined) continue
    // A request may have both: then the name that the upstream takes has the value.
    const renamed = value === null || (fieldIn(changes, body, name) ?? null) !== null ? null : valueAs(name, value)
    // The new name can't say it, so the upstream is to judge.
    if (renamed === undefined) continue
    leaveOut(old)
    if (renamed !== null) put(changes, name, renamed)
  }
  for (const name of drop) leaveOut(name)
  for (const name of spare) {
    if (isSpare(name, changes.set.has(name) ? changes.set.get(name) : body.outline[name])) leaveOut(name)
  }
  if (efforts) limitEffort(changes, body, efforts)
  if (thoughts && withoutThoughts(changes.set.get('messages') ?? body.outline.messages, thoughts)) {
    put(changes, 'messages', withoutThoughts(fieldIn(changes, body, 'messages'), thoughts))
  }
  // The outline has all roles, and saves parsing a large request that needs no change.
  if (!instructions || !withInstructions(changes.set.get('messages') ?? body.outline.messages, instructions)) return
  put(changes, 'messages', withInstructions(fieldIn(changes, body, 'messages'), instructions))
}

function isPlain({ defaults, overrides }: Deployment): boolean {
  return isEmpty(defaults) && isEmpty(overrides)
}

function isEmpty(object: object): boolean {
  for (const _ in object) return false
  return true
}
