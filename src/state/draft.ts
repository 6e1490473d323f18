import type { Leased } from './leases.ts'
import type { Slice } from './slice.ts'

/** What becomes of one slice if the transaction is written. */
export interface Draft {
  readonly slice: Slice
  readonly found: Leased
  /** Of the meter, and what others hold of it. */
  readonly spent: number
  readonly others: number
  readonly lost: number
  /** Told to the store: the slice goes on counting from there. */
  readonly told: { readonly spent: number; readonly over: number }
  /** What is newly leased: for requests that waited, and what is free beyond. */
  granted: number
  spare: number
  held: number
  /** Free before, and returned. */
  given: number
  asks: number
}

/** The share of what is left, and of the limit, that is leased ahead at most. */
const shareOfLeft = 16
const shareOfLimit = 100

export function draftOf(slice: Slice, found: Leased): Draft {
  const { lease = 0, writtenOff } = found
  // A process that was only slow takes back what was booked for it, as far as nobody has forgiven it.
  const back = writtenOff ? Math.min(lease, found.lost) : 0
  return {
    slice,
    found,
    spent: found.spent - back + slice.spent,
    others: found.held - (writtenOff ? 0 : lease),
    lost: found.lost - back,
    told: { spent: slice.spent, over: slice.over },
    ...{ granted: 0, spare: 0, held: 0, given: 0, asks: found.asks },
  }
}

/** What this process has of the meter. */
const own = ({ slice, granted }: Draft) => slice.room + slice.held + granted
export const left = (draft: Draft) => draft.slice.limit - draft.spent - draft.others - own(draft)
/** Less than what is free, where the limit was lowered. */
export const usable = (draft: Draft) => Math.max(0, draft.slice.room + Math.min(0, left(draft)))
export const ahead = (draft: Draft) =>
  Math.max(0, Math.floor(Math.min(left(draft) / shareOfLeft, draft.slice.limit / shareOfLimit)))

export function after(draft: Draft): Leased {
  const { found, spent, lost, asks, others } = draft
  const lease = own(draft)
  return { ...found, spent, lost, asks, held: others + lease, lease, writtenOff: false }
}
