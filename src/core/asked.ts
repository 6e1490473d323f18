import type { JsonObject } from '../wire/json.ts'
import type { Call } from './call.ts'
import type { Target } from './plan.ts'

interface Asked extends Pick<Call, 'body'> {
  readonly target: Pick<Target, 'deployment'>
}

/** A request's fields as the deployment of its target gets them, without the long texts. */
export function askedFields({ body, target }: Asked): JsonObject {
  const { defaults, overrides } = target.deployment
  if (isEmpty(defaults) && isEmpty(overrides)) return body.outline
  return { ...defaults, ...body.outline, ...overrides }
}

function isEmpty(object: object): boolean {
  for (const _ in object) return false
  return true
}
