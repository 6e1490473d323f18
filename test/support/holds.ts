import type { Granted, Hold, Meter, MeterBook, Meters } from '../../src/state/meters.ts'

export type AnyMeters = Meters & MeterBook

export const budget = (limit: number, subject = 'key:a', window = 0): Meter => ({ subject, window, limit })
export const parallel = (limit: number, subject = 'parallel:a'): Meter => ({ subject, window: 0, limit, returns: true })

/** A grant, where the test expects one. */
export async function granted(meters: Meters, ...holds: readonly Hold[]): Promise<Granted> {
  const answer = await meters.reserve(holds)
  if (!answer.granted) throw new Error(`refused: ${answer.left} left of ${answer.meter.subject}`)
  return answer
}
