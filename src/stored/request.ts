import type { Answer } from '../core/answer.ts'
import type { Page } from '../state/objects.ts'
import { describe, invalid } from '../wire/body.ts'
import { GatewayError, shorten } from '../wire/errors.ts'
import type { HeaderReader } from '../wire/headers.ts'
import { isObject, type JsonObject, stringAt } from '../wire/json.ts'
import type { Background } from './background.ts'
import { seesThoughts } from './items.ts'
import type { Keeping } from './keeping.ts'

/** A request about what is stored, from somebody who has access. */
export interface StoredRequest {
  /** Whose objects it is about. */
  readonly owner: string
  /** The ids in the path. */
  readonly ids: readonly string[]
  readonly query: URLSearchParams
  readonly header: HeaderReader
  /** The body. Rejects with a 400 or 413. */
  json(): Promise<JsonObject>
}

export interface StoredServices {
  readonly keeping: Keeping
  /** Absent: nothing is made that nobody waits for. */
  readonly background: Background | undefined
}

/** Answers with JSON, a stream, or the name of the provider that the request is for. */
export type Served = { readonly json: JsonObject } | { readonly answer: Answer } | { readonly provider: string }

export interface StoredRoute {
  readonly method: 'GET' | 'POST' | 'DELETE'
  /** Without `/v1`; `{}` stands for an id. */
  readonly path: string
  serve(request: StoredRequest, services: StoredServices): Promise<Served>
}

/** What a request is about isn't stored here. */
export class Missing extends GatewayError {
  constructor(message: string) {
    super('bad_request', message, { status: 404 })
  }
}

export const missing = (what: string, id: string): Missing =>
  new Missing(`${what} with id '${shorten(id, 100)}' not found.`)

/** Reads `after`, `limit` and `order` of a list. Throws a 400 for what they can't be. */
export function pageIn(query: URLSearchParams, usualOrder: Page['order']): Page {
  const limit = query.get('limit') ?? '20'
  const order = query.get('order') ?? usualOrder
  if (!/^\d{1,3}$/.test(limit) || Number(limit) < 1 || Number(limit) > 100) {
    const message = `Invalid 'limit': expected an integer from 1 to 100, but got '${shorten(limit)}' instead.`
    throw invalid(message, 'limit', 'invalid_value')
  }
  if (order !== 'asc' && order !== 'desc') {
    const message = `Invalid value: '${shorten(order)}'. Supported values are: 'asc' and 'desc'.`
    throw invalid(message, 'order', 'invalid_value')
  }
  const after = query.get('after')
  return { limit: Number(limit), order, ...(after && { after }) }
}

/** A page of a list, of which one more than wanted was read. Throws a 400 if there is no `after`. */
export function listOf(found: readonly JsonObject[] | undefined, { limit, after }: Page): JsonObject {
  if (!found)
    throw invalid(`Invalid 'after': there is no '${shorten(after ?? '')}' in this list.`, 'after', 'invalid_value')
  const data = found.slice(0, limit)
  const idOf = (one: JsonObject | undefined) => stringAt(one, 'id') ?? null
  return { object: 'list', data, first_id: idOf(data[0]), last_id: idOf(data.at(-1)), has_more: found.length > limit }
}

/** Whether a request asks for what only the model can read. */
export function asksThoughts(query: URLSearchParams): boolean {
  return seesThoughts([...query.getAll('include'), ...query.getAll('include[]')])
}

const most = { pairs: 16, key: 64, value: 512 }

/** The metadata of an object. Throws the 400 for what can't be such. */
export function metadataIn({ metadata }: JsonObject): JsonObject {
  if (metadata === undefined || metadata === null) return {}
  if (!isObject(metadata)) {
    const message = `Invalid type for 'metadata': expected an object, but got ${describe(metadata)} instead.`
    throw invalid(message, 'metadata', 'invalid_type')
  }
  const entries = Object.entries(metadata)
  if (entries.length > most.pairs) {
    const message = `Invalid 'metadata': too many properties. Expected an object with at most ${most.pairs} properties, but got an object with ${entries.length} properties instead.`
    throw invalid(message, 'metadata', 'object_above_max_properties')
  }
  for (const [key, value] of entries) {
    if (typeof value === 'string' && value.length <= most.value && key.length <= most.key) continue
    const message = `Invalid 'metadata.${shorten(key, 64)}': keys have up to ${most.key} characters, values are strings of up to ${most.value}.`
    throw invalid(message, `metadata.${key.slice(0, 64)}`, 'invalid_value')
  }
  return metadata
}
