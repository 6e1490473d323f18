import type { Order, Report } from '../../src/runtime/worker-messages.ts'

/** A worker that can begin with any job, and can't change to `unfit`. */
const tell = (report: Report) => process.send?.(report)

process.on('message', (order: Order<string>) => {
  if (order.kind === 'start') tell({ kind: 'ready', version: order.job })
  if (order.kind === 'stop') process.exit(0)
  if (order.kind !== 'reload') return
  if (order.job === 'unfit') tell({ kind: 'unfit', message: 'it has no room' })
  else tell({ kind: 'reloaded', version: order.job })
})
