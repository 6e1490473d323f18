import type { Operation } from '../../core/operation.ts'
import { type OperationName, operations } from '../../operations/index.ts'
import { invalid, type RequestBody } from '../../wire/body.ts'
import { errorEnvelope } from '../../wire/errors.ts'
import type { InferenceRoute } from '../dialect.ts'

/** Answers any inference request with what would be done with it. */
export const explainRoute: InferenceRoute = {
  method: 'POST',
  path: '/explain',
  explains: true,
  request(body, _, url) {
    const operation = operationOf(body, url)
    operation.check(body)
    return { operation, body }
  },
  refuse: errorEnvelope,
}

/** The operation that the address names, or the one whose request the body is. */
function operationOf({ outline }: RequestBody, url: string | undefined): Operation {
  const named = url === undefined ? null : new URL(url).searchParams.get('operation')
  if (named === null) {
    const has = (name: string) => Object.hasOwn(outline, name)
    if (has('messages')) return operations.chat
    return has('prompt') ? operations.completions : has('input') ? operations.embeddings : operations.chat
  }
  if (Object.hasOwn(operations, named)) return operations[named as OperationName]
  const allowed = Object.keys(operations).join(', ')
  throw invalid(`Invalid value for 'operation': expected one of ${allowed}.`, 'operation', 'invalid_value')
}
