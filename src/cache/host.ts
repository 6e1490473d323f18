import type { Clock } from '../core/clock.ts'
import type { Answers, Store } from './answers.ts'
import { MemoryAnswers } from './memory.ts'

/** What a runtime has for keeping answers. */
export interface CacheHost extends Pick<Store, 'digest' | 'flies'> {
  /** `maxBytes`: of memory. */
  answers(maxBytes: number): Answers
}

/** Bytes of answers to requests that may be sent again, where no others are kept. */
const usualBytes = 16 * 1024 * 1024

/** Where a gateway keeps answers. `load`: what its runtime has for that; absent: what every runtime has. */
export async function openStore(
  clock: Pick<Clock, 'now'>,
  maxBytes = usualBytes,
  load: () => Promise<CacheHost> = async () => plainHost(clock, true),
): Promise<Store> {
  const host = await load()
  const { digest, flies } = host
  return { digest, flies, answers: host.answers(maxBytes) }
}

/** The answers live as long as their gateway. `flies`: whether requests may share what is under way. */
export function plainHost(clock: Pick<Clock, 'now'>, flies: boolean): CacheHost {
  return { digest: webDigest, flies, answers: (maxBytes) => new MemoryAnswers(clock, maxBytes) }
}

export async function webDigest(bytes: Uint8Array): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>))
  let text = ''
  for (const byte of digest) text += byte.toString(16).padStart(2, '0')
  return text
}
