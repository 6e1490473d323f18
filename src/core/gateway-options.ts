import { edited, type RequestBody, withoutFields } from '../wire/body.ts'
import { isObject, type JsonObject } from '../wire/json.ts'

/** The field in which Vercel's clients say how a request is routed, and what else each provider is to do. */
export const optionsField = 'providerOptions'

/** What a request says in `providerOptions.gateway`; undefined if nothing. */
export function gatewayOptionsIn({ providerOptions }: JsonObject): unknown {
  return isObject(providerOptions) ? (providerOptions.gateway ?? undefined) : undefined
}

/** The models that it names there, if they can be read. */
export function gatewayModelsIn(outline: JsonObject): unknown {
  const given = gatewayOptionsIn(outline)
  return isObject(given) ? (given.models ?? undefined) : undefined
}

/** The request without its fields `names` and without the gateway's options; those of providers stay. */
export function withoutRouting(body: RequestBody, names: ReadonlySet<string>): RequestBody {
  if (gatewayOptionsIn(body.outline) === undefined) return withoutFields(body, names)
  // The outline lacks long texts.
  const { gateway: _, ...others } = body.json[optionsField] as JsonObject
  if (Object.keys(others).length === 0) return withoutFields(body, new Set([...names, optionsField]))
  return edited(body, { drop: names, set: new Map([[optionsField, JSON.stringify(others)]]) })
}
