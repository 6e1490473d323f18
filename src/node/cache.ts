import { hash } from 'node:crypto'
import type { Answers } from '../cache/answers.ts'
import { DatabaseAnswers } from '../cache/database-answers.ts'
import type { CacheHost } from '../cache/host.ts'
import { MemoryAnswers } from '../cache/memory.ts'
import type { Services } from '../core/services.ts'
import type { Database } from '../state/database.ts'

export interface NodeCacheHost extends CacheHost {
  /** Resolves once what was kept is in the database, as far as that can be used. */
  flush(): Promise<void>
}

/**
 * Keeps answers in the memory of this process, whichever gateways it runs one after the other, and in the database, if
 * there is one.
 */
export function createCacheHost({ clock, log }: Pick<Services, 'clock' | 'log'>, database?: Database): NodeCacheHost {
  let answers: Answers | undefined
  return {
    digest: (bytes) => hash('sha256', bytes, 'hex'),
    flies: true,
    answers(maxBytes) {
      answers ??= database
        ? new DatabaseAnswers({ database, clock, log, maxBytes })
        : new MemoryAnswers(clock, maxBytes)
      return answers
    },
    flush: async () => await answers?.flush(),
  }
}
