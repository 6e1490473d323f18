import { late } from '../src/core/late.ts'
import type { OperationSpec } from '../src/core/provider.ts'

/** How a server is asked for the number of tokens in a chat: by one of its own endpoints. */
export type WayToCount = 'tokenizing' | 'chat' | 'template'

/** Counts by the first of these ways that the server has; a bound if it has none. */
export function counting(...ways: readonly WayToCount[]): OperationSpec {
  const count = late(async () => (await import('./counting/count.ts')).counted)
  return { path: '', serve: (request) => count(request, ways) }
}
