import type { Clock } from '../core/clock.ts'
import type { Answers } from './answers.ts'
import { MemoryAnswers } from './memory.ts'
import type { Digest } from './place.ts'

/** What a runtime has for keeping answers. */
export interface CacheHost {
  readonly digest: Digest
  /** Whether what one request gets may go to another one meanwhile. */
  readonly flies: boolean
  /** `maxBytes`: of memory. */
  answers(maxBytes: number): Answers
}

/** What every runtime has. The answers live as long as their gateway. */
export function plainHost(clock: Pick<Clock, 'now'>): CacheHost {
  return { digest: webDigest, flies: true, answers: (maxBytes) => new MemoryAnswers(clock, maxBytes) }
}

export async function webDigest(bytes: Uint8Array): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>))
  let text = ''
  for (const byte of digest) text += byte.toString(16).padStart(2, '0')
  return text
}
