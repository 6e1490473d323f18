import type { Demand } from '../../core/operation.ts'
import type { RequestBody } from '../../wire/body.ts'
import { stringAt } from '../../wire/json.ts'

/** What a request for something other than a text requires: nothing that is known of a model. */
export function plainDemand({ outline }: RequestBody): Demand {
  return { needs: new Set(), tokens: 0, user: stringAt(outline, 'user') }
}
