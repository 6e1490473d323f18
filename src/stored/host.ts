import type { Answer } from '../core/answer.ts'
import type { Services } from '../core/services.ts'
import type { Gateway } from '../gateway.ts'
import type { Guard } from '../http/access.ts'
import type { Reports } from '../http/report.ts'
import { keepingAnswers } from './answering.ts'
import type { Background } from './background.ts'
import { Keeping, type KeepingOptions } from './keeping.ts'
import { createServe, type Elsewhere, type Incoming, isStored } from './serve.ts'

/** A gateway that has what clients store. */
export interface StoredParts extends Pick<Services, 'transport' | 'clock' | 'log'> {
  readonly gateway: Gateway
  readonly guard: Guard
  readonly reports: Reports
}

/** What one gateway has of it. */
export interface Stored {
  /** The same gateway, which keeps what is to be stored. */
  readonly gateway: Gateway
  /** Whether `serve` has a route for a path, without `/v1`. */
  has(path: string): boolean
  /** Never rejects. */
  serve(incoming: Incoming): Promise<Answer | Elsewhere>
}

/** What clients store, once for a process, whichever gateways it has one after the other. */
export interface StoredHost {
  open(parts: StoredParts): Stored
  /** Resolves once nothing is made in the background that is now, or after `ms`. Never rejects. */
  idle(ms: number): Promise<void>
  /** Breaks off what is made in the background, and writes all. Never rejects. */
  close(): Promise<void>
}

export interface StoredHostOptions extends KeepingOptions {
  /** Makes responses that nobody waits for. */
  readonly background: (keeping: Keeping) => Background
}

export function createStoredHost(options: StoredHostOptions): StoredHost {
  const keeping = new Keeping(options)
  const background = options.background?.(keeping)
  return {
    open: (parts) => ({
      gateway: keepingAnswers(parts.gateway, { keeping, background }),
      has: isStored,
      serve: createServe({ ...parts, keeping, background }),
    }),
    idle: async (ms) => await background?.idle(ms),
    async close() {
      await background?.close()
      await keeping.settled()
    },
  }
}
