import { DurableObject, waitUntil } from 'cloudflare:workers'
import { systemClock } from '../../src/core/clock.ts'
import type { Ledger } from '../../src/state/ledger.ts'
import { requestIds } from '../../src/wire/ids.ts'
import type { D1, Objects } from '../../src/workers/bindings.ts'
import { openD1 } from '../../src/workers/d1.ts'
import { openMeters } from '../../src/workers/meters.ts'
import { ObjectLimiter } from '../../src/workers/object-limiter.ts'
import { createRequestLedger } from '../../src/workers/request-ledger.ts'
import { type BudgetSettings, holdsOf, rowOf } from '../proofs/budget/meters.ts'

/** One request of the proof of budgets. */
export interface BudgetRequest {
  readonly settings: BudgetSettings
  readonly key: number
  readonly bound: number
  readonly cost: number
  /** Whether the Worker throws before it can settle. */
  readonly dies: boolean
  /** Milliseconds. */
  readonly lease: number
}

interface Bindings {
  readonly METERS: Objects
  readonly DB: D1
}

/** The object as src/worker.ts has it. */
export class Meters extends DurableObject {
  readonly #book = openMeters(this.ctx.storage)

  async ask(method: string, given: unknown): Promise<unknown> {
    return (await this.#book).ask(method, given)
  }

  override async alarm(): Promise<void> {
    ;(await this.#book).alarm()
  }
}

function limiterFor({ METERS: objects }: Bindings, lease?: number): ObjectLimiter {
  const parts = { objects, clock: systemClock, newId: () => crypto.randomUUID() }
  return new ObjectLimiter(lease === undefined ? parts : { ...parts, lease })
}

/** Every other one was moved to the project: its budget and the project's are in two objects. */
const holderOf = (key: number) => ({ id: String(key), project: 'all', ...(key % 2 === 0 && { home: 'all' }) })

const nextId = requestIds(Math.random, Date.now)
let rows: Ledger | undefined

function ledgerFor({ DB }: Bindings): Ledger {
  const tell = (text: unknown) => console.error(text)
  rows ??= createRequestLedger({ database: openD1(DB), clock: systemClock, log: tell, days: 30, defer: waitUntil })
  return rows
}

/** `POST /` spends of the budget, and says on the standard output what was billed; `GET /SUBJECT` reads a meter. */
export default {
  async fetch(request: Request, env: Bindings, execution: ExecutionContext): Promise<Response> {
    if (request.method === 'GET') {
      const subject = decodeURIComponent(new URL(request.url).pathname.slice(1))
      const { home } = holderOf(Number(subject.replace('key:', '')))
      return Response.json(await limiterFor(env).read({ subject, window: 0, home }))
    }
    const { settings, key, bound, cost, dies, lease } = (await request.json()) as BudgetRequest
    const limiter = limiterFor(env, lease)
    const outcome = await limiter.take({ key: holderOf(key), takes: [], holds: holdsOf(settings, key, bound) })
    if ('wait' in outcome) throw new Error('no limit a minute was asked')
    if (!outcome.granted) return Response.json(outcome.meter.subject, { status: 429 })
    await scheduler.wait(Math.random() * settings.answerMs)
    // Billed: whatever becomes of this Worker, somebody has to pay for it.
    console.log(`${key} ${cost}`)
    if (dies) throw new Error('it ends here')
    outcome.settle({ requests: 1, tokens: 0 }, [cost, cost, 0])
    const ledger = ledgerFor(env)
    ledger.write(rowOf(nextId(), key, cost))
    execution.waitUntil(limiter.flush())
    // Nobody else would make clients wait for a database that is slower than they are.
    await ledger.flush()
    return Response.json(cost)
  },
}
