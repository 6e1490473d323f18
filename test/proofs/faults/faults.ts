import type { Act } from './attempt.ts'
import { afterContent } from './faults-after.ts'
import { beforeContent } from './faults-before.ts'

/** Something that goes wrong at an upstream. */
export interface Fault {
  readonly name: string
  /**
   * `before`: no content has gone out, so that another try hides it. `after`: content has gone out, so that the client
   * must be told. `harmless`: nothing of the answer is missing.
   */
  readonly when: 'before' | 'after' | 'harmless'
  /** Which kinds of answers it befalls. */
  readonly ways: readonly ('whole' | 'stream')[]
  /** Choices that the client asks for, where the fault needs more than one. */
  readonly choices?: 2
  /** Undefined: nobody listens, so that there is nothing to do. */
  readonly act?: Act
  /** It is there only once the client has content: it would overtake the content otherwise. */
  readonly overtakes?: true
}

export const faults: readonly Fault[] = [...beforeContent, ...afterContent]
