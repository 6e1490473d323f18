import { late } from '../../core/late.ts'
import type { OperationSpec } from '../../core/provider.ts'

/** For models whose provider counts no tokens: the most that a request can be to any. */
export const boundedCount: OperationSpec = {
  path: '',
  serve: late(async () => (await import('./count.ts')).boundAnswer),
}
