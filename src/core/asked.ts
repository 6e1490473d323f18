import type { JsonObject } from '../wire/json.ts'
import type { Call } from './call.ts'

/** A request's fields as the deployment of its target gets them, without the long texts. */
export function askedFields({ body, target }: Pick<Call, 'body' | 'target'>): JsonObject {
  const { defaults, overrides } = target.deployment
  if (isEmpty(defaults) && isEmpty(overrides)) return body.outline
  return { ...defaults, ...body.outline, ...overrides }
}

function isEmpty(object: object): boolean {
  for (const _ in object) return false
  return true
}
