import type { ApiName } from './apis.ts'
import type { Act } from './attempt.ts'
import { afterContent } from './faults-after.ts'
import { beforeContent } from './faults-before.ts'
import { ofDialects } from './faults-dialects.ts'
import { harmless } from './faults-harmless.ts'
import { refusals } from './faults-refused.ts'
import { ofResponses } from './faults-responses.ts'
import type { WireName } from './wires.ts'

/** A fault of an upstream. */
export interface Fault {
  readonly name: string
  /**
   * `before`: no content was sent, so another try hides the fault. `after`: content was sent, so the client must be
   * told. `told`: the client's own doing, which it must be told. `harmless`: the answer is complete.
   */
  readonly when: 'before' | 'after' | 'told' | 'harmless'
  /** The kinds of answers that can have it. */
  readonly ways: readonly ('whole' | 'stream')[]
  /** The wires that can have it, if not all. */
  readonly wires?: readonly WireName[]
  /** The APIs by which the client asks, if not any. */
  readonly apis?: readonly ApiName[]
  /** Number of choices that the client requests, if the fault needs more than one. */
  readonly choices?: 2
  /** Undefined if nothing listens, so that there is nothing to do. */
  readonly act?: Act
  /** It must wait until the client has content, because it would overtake the content otherwise. */
  readonly overtakes?: true
  /** Another deployment may serve what this one can't, although the fault is the client's doing. */
  readonly elsewhere?: true
}

export const faults: readonly Fault[] = [
  ...beforeContent,
  ...refusals,
  ...afterContent,
  ...harmless,
  ...ofResponses,
  ...ofDialects,
]
