import { dollars } from '../accounts/refusals.ts'
import { systemClock } from '../core/clock.ts'
import type { ObjectStorage } from './bindings.ts'
import { openMeterBook } from './meter-book.ts'

/** What a Durable Object of limits is made of. */
export const openMeters = (storage: ObjectStorage) =>
  openMeterBook({
    storage,
    clock: systemClock,
    lost: (amount) => {
      const message = `A request ended before it settled: ${dollars(amount)} were booked for what it had begun.`
      console.warn({ level: 'warn', message })
    },
  })
