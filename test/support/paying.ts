import type { Config } from '../../src/config/schema.ts'
import type { KeyLimits, Project } from '../../src/state/key.ts'
import { type KeptAccounting, keptInMemory } from './accounting.ts'
import { type AskOptions, ask, noLists, open, type Reply } from './ask.ts'
import { gatewayStarter, ManualClock, type RunningGateway } from './gateway.ts'

export const secret = `sk-sw-${'a'.repeat(43)}`
export const headers = { authorization: `Bearer ${secret}` }
/** Nano-dollars. */
export const dollar = 1_000_000_000

export interface Paying extends KeptAccounting {
  readonly gateway: RunningGateway
  readonly clock: ManualClock
  /** With the key that pays. */
  ask(body: unknown, options?: Omit<AskOptions, 'headers'>): Promise<Reply>
  open(body: unknown, options?: Omit<AskOptions, 'headers'>): Promise<Response>
  /** What its budget says. */
  spent(): Promise<number>
  held(): Promise<number>
}

/** Starts gateways whose requests are charged to one key with these limits, before or during the tests of a file. */
export function payingStarter() {
  const serve = gatewayStarter()
  return async function start(
    config: Config,
    limits: KeyLimits,
    project?: Pick<Project, 'limits'> & Partial<Project>,
  ): Promise<Paying> {
    const clock = new ManualClock()
    const kept = await keptInMemory(clock)
    kept.put(secret, { limits, ...(project && { project: 'proj_1' }) })
    if (project) kept.putProject(project)
    const env = { SAMEWIRE_ADMIN_KEY: 'the-admin-key-of-this-test', UP_KEY: 'the-key-of-the-upstream' }
    const gateway = await serve(config, { clock, services: noLists, env, accounting: kept.accounting })
    const read = () => kept.meters.read({ subject: 'key:key_1', window: 0 })
    return {
      ...kept,
      ...{ gateway, clock },
      ask: (body, options) => ask(gateway, body, { ...options, headers }),
      open: (body, options) => open(gateway, body, { ...options, headers }),
      spent: async () => (await read()).spent,
      held: async () => (await read()).held,
    }
  }
}

/**
 * Lets time pass until `work` is done: a failed exchange is tried again after a while. `step`: milliseconds for each turn
 * of the event loop; with 0 no time passes, and those go on who only let others have their turn.
 */
export async function inTime<T>(clock: ManualClock, work: Promise<T>, step = 10): Promise<T> {
  let isOver = false
  const over = () => {
    isOver = true
  }
  work.then(over, over)
  while (!isOver) {
    await clock.advance(step)
    await new Promise((turn) => setImmediate(turn))
  }
  return await work
}
