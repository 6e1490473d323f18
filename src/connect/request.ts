import type { Call } from '../core/call.ts'
import type { Deployment } from '../core/catalog.ts'
import { bearer, type OperationSpec, type Provider, type Remedy, type WireContext } from '../core/provider.ts'
import { editBody, withModel } from '../wire/body.ts'
import { GatewayError } from '../wire/errors.ts'
import { hopsHeader } from '../wire/headers.ts'

const encoder = new TextEncoder()

/** The upstream's request body, in pieces: the client's own bytes if only the model or single fields change. */
export function requestBody(call: Call, spec: OperationSpec, context: WireContext, remedy: Remedy) {
  if (spec.encode) return [encoder.encode(JSON.stringify(spec.encode(context)))]
  const { deployment } = call.target
  const { defaults, overrides, model } = deployment
  if (isPlain(deployment) && isEmpty(remedy)) return withModel(call.body, model)
  const { outline } = call.body
  const set = new Map<string, string>()
  for (const [key, value] of Object.entries(defaults)) {
    if (!Object.hasOwn(outline, key)) set.set(key, JSON.stringify(value))
  }
  for (const [key, value] of Object.entries(overrides)) set.set(key, JSON.stringify(value))
  set.set('model', JSON.stringify(model))
  const drop = new Set(remedy.drop)
  for (const [old, name] of Object.entries(remedy.rename ?? {})) {
    const value = set.get(old) ?? (Object.hasOwn(outline, old) ? JSON.stringify(call.body.json[old]) : undefined)
    drop.add(old)
    set.delete(old)
    if (value !== undefined && !Object.hasOwn(outline, name)) set.set(name, value)
  }
  for (const key of drop) set.delete(key)
  return editBody(call.body, { set, drop })
}

export function requestHeaders(
  call: Call,
  { definition, settings, callersKey, name }: Provider,
): Record<string, string> {
  if (callersKey && call.bearer === undefined) {
    throw new GatewayError('unauthorized', `The model is served by ${name} with your own API key, and you sent none.`, {
      code: null,
    })
  }
  const own = callersKey ? { ...settings, apiKey: call.bearer } : settings
  return {
    'content-type': 'application/json',
    accept: call.body.stream ? 'text/event-stream, application/x-ndjson' : 'application/json',
    'user-agent': 'samewire',
    [hopsHeader]: String(call.hops + 1),
    ...(definition.headers ?? bearer)(own),
    ...settings.headers,
  }
}

const isEmpty = (object: object) => {
  for (const _ in object) return false
  return true
}

const isPlain = ({ defaults, overrides }: Deployment) => isEmpty(defaults) && isEmpty(overrides)
