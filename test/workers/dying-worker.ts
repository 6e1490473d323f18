import type { Order, Report } from '../../src/runtime/worker-messages.ts'

/** A worker that dies at once, before or after it says that it is ready. */
process.on('message', (order: Order<'before' | 'after'>) => {
  if (order.kind !== 'start') return
  const ready: Report = { kind: 'ready' }
  if (order.job === 'before') process.exit(3)
  process.send?.(ready, () => process.exit(4))
})
