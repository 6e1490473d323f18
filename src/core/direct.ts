import type { RequestBody } from '../wire/body.ts'
import type { Operation } from './operation.ts'
import type { Provider } from './provider.ts'

/** Whether a provider is asked in the terms of the operation itself, not in those of another one that it knows too. */
export function isDirect({ name, over }: Operation, body: RequestBody, { operations }: Provider): boolean {
  const spec = operations[name]
  if (spec === undefined || over === undefined || operations[over.operation.name] === undefined)
    return spec !== undefined
  return spec.tools === undefined || !over.exceeds?.(body, spec.tools)
}
