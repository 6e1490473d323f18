import type { Call } from '../core/call.ts'
import { bearer, type OperationSpec, type Provider, type Remedy, type WireContext } from '../core/provider.ts'
import { editBody, withModel } from '../wire/body.ts'
import { GatewayError } from '../wire/errors.ts'
import { hopsHeader } from '../wire/headers.ts'
import type { JsonObject } from '../wire/json.ts'
import { changesOf, cured } from './changes.ts'

const encoder = new TextEncoder()

/** The upstream's request body, in pieces: the client's own bytes if only the model or single fields change. */
export function requestBody(call: Call, spec: OperationSpec, context: WireContext, remedy: Remedy) {
  if (spec.encode || call.begun) return [encoder.encode(JSON.stringify(bodyToSend(spec, context, remedy)))]
  const changes = changesOf(call, remedy)
  if (!changes) return withModel(call.body, call.target.deployment.model)
  const set = new Map([...changes.set].map(([name, value]) => [name, JSON.stringify(value)]))
  return editBody(call.body, { set, drop: changes.drop })
}

/** The upstream's request body, as an object. */
export function bodyToSend(spec: OperationSpec, context: WireContext, remedy: Remedy): JsonObject {
  return cured(spec.encode?.(context) ?? context.body, remedy)
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
    accept: call.streams ? 'text/event-stream, application/x-ndjson' : 'application/json',
    'user-agent': 'samewire',
    [hopsHeader]: String(call.hops + 1),
    ...(definition.headers ?? bearer)(own),
    ...settings.headers,
  }
}
