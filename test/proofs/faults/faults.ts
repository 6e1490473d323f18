import type { Act } from './attempt.ts'
import { afterContent } from './faults-after.ts'
import { beforeContent } from './faults-before.ts'

/** A fault of an upstream. */
export interface Fault {
  readonly name: string
  /**
   * `before`: no content was sent, so a retry hides the fault. `after`: content was sent, so the client must be told.
   * `harmless`: the answer is complete.
   */
  readonly when: 'before' | 'after' | 'harmless'
  /** The kinds of answers that can have it. */
  readonly ways: readonly ('whole' | 'stream')[]
  /** Number of choices that the client requests, if the fault needs more than one. */
  readonly choices?: 2
  /** Undefined if nothing listens, so that there is nothing to do. */
  readonly act?: Act
  /** It must wait until the client has content, because it would overtake the content otherwise. */
  readonly overtakes?: true
}

export const faults: readonly Fault[] = [...beforeContent, ...afterContent]
