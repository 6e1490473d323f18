import { hash } from 'node:crypto'
import type { Answers } from '../cache/answers.ts'
import type { CacheHost } from '../cache/host.ts'
import { MemoryAnswers } from '../cache/memory.ts'
import type { Clock } from '../core/clock.ts'

/** Keeps answers in the memory of this process, whichever gateways it runs one after the other. */
export function createCacheHost(clock: Clock): CacheHost {
  let answers: Answers | undefined
  return {
    digest: (bytes) => hash('sha256', bytes, 'hex'),
    flies: true,
    answers(maxBytes) {
      answers ??= new MemoryAnswers(clock, maxBytes)
      return answers
    },
  }
}
