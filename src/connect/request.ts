import type { Call } from '../core/call.ts'
import { bearer, type Remedy, type WireContext } from '../core/provider.ts'
import type { Changes } from '../core/synonyms.ts'
import { traceHeaders } from '../core/trace-context.ts'
import type { Rest, UpstreamRequest } from '../core/transport.ts'
import { editBody, type RequestBody, withModel } from '../wire/body.ts'
import { isFormBody } from '../wire/body-kinds.ts'
import { GatewayError } from '../wire/errors.ts'
import type { FormBody } from '../wire/form-body.ts'
import { hopsHeader } from '../wire/headers.ts'
import type { JsonObject } from '../wire/json.ts'
import { changesOf, cured } from './changes.ts'
import type { Manner } from './context.ts'

const encoder = new TextEncoder()

/** A request's headers and body as they go up. */
export function outgoingOf(
  call: Call,
  context: WireContext,
  manner: Manner,
): Pick<UpstreamRequest, 'headers' | 'body' | 'rest'> {
  const { body } = call
  if (isFormBody<Rest>(body)) {
    const headers = requestHeaders(call, `multipart/form-data; boundary=${quoted(body.boundary)}`)
    return { headers, ...formOf(call, body, manner) }
  }
  return { headers: requestHeaders(call, 'application/json'), body: requestBody(call, context, manner) }
}

/** A boundary as a parameter of a content type. */
function quoted(boundary: string): string {
  return /^[\w'+.-]+$/.test(boundary) ? boundary : `"${boundary}"`
}

/** The client's own form, with the upstream's name for the model. */
function formOf(call: Call, body: FormBody<Rest>, manner: Manner): Pick<UpstreamRequest, 'body' | 'rest'> {
  const { model } = call.target.deployment
  const changes = changesOf(call, remedyOf(manner))
  const pieces = body.edited(changes ?? { set: new Map([['model', model]]) })
  return { body: pieces, rest: body.remainder?.take() }
}

/** What is changed and left out in a request. */
function remedyOf({ remedy, dropped }: Manner): Remedy {
  return dropped.length === 0 ? remedy : { ...remedy, drop: [...(remedy.drop ?? []), ...dropped] }
}

/** The upstream's request body, in pieces: the client's own bytes if only the model or single fields change. */
export function requestBody(call: Call, context: WireContext, manner: Manner) {
  const { spec } = manner
  if (spec.encode || call.begun) return [encoder.encode(JSON.stringify(bodyToSend(context, manner)))]
  const changes = changesOf(call, remedyOf(manner))
  if (spec.unnamed) return unnamedBody(call.body, changes)
  if (!changes) return withModel(call.body, call.target.deployment.model)
  const set = new Map([...changes.set].map(([name, value]) => [name, JSON.stringify(value)]))
  return editBody(call.body, { set, drop: changes.drop })
}

/** The same without a model. */
function unnamedBody(body: RequestBody, changes: Changes | undefined): readonly Uint8Array[] {
  if (!changes && !body.modelSpan) return [body.bytes]
  const set = [...(changes?.set ?? [])].filter(([name]) => name !== 'model')
  const drop = new Set([...(changes?.drop ?? []), 'model'])
  return editBody(body, { set: new Map(set.map(([name, value]) => [name, JSON.stringify(value)])), drop })
}

/** The upstream's request body, as an object. */
export function bodyToSend(context: WireContext, { spec, remedy }: Manner): JsonObject {
  const body = spec.encode?.(context) ?? context.body
  return spec.remedied === 'before' ? body : cured(body, remedy)
}

/** The request's body in the terms in which remedies change it. */
export function sentBody(context: WireContext, manner: Manner): JsonObject {
  return manner.spec.remedied === 'before' ? context.body : bodyToSend(context, manner)
}

/** The provider's own headers, and `type` for the body if there is one. */
export function requestHeaders(call: Call, type: string | undefined): Record<string, string> {
  return {
    ...(type !== undefined && { 'content-type': type }),
    accept: call.streams
      ? 'text/event-stream, application/x-ndjson'
      : call.operation.anyType
        ? '*/*'
        : 'application/json',
    ...ownHeaders(call),
  }
}

/** The headers by which an upstream knows the gateway. */
export function ownHeaders(call: Call): Record<string, string> {
  const { definition, settings, callersKey, name, trace } = call.target.deployment.provider
  const { context } = call.trace
  if (callersKey && call.bearer === undefined) {
    throw new GatewayError('unauthorized', `The model is served by ${name} with your own API key, and you sent none.`, {
      code: null,
    })
  }
  const own = callersKey ? { ...settings, apiKey: call.bearer } : settings
  return {
    'user-agent': 'samewire',
    [hopsHeader]: String(call.hops + 1),
    ...(trace && context && traceHeaders(context, call.span ?? context.spanId)),
    ...(definition.headers ?? bearer)(own, call.operation.name),
    ...call.carried,
    ...settings.headers,
  }
}
