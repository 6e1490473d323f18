import { once } from 'node:events'
import { existsSync, readdirSync, readlinkSync } from 'node:fs'
import { type Measured, memoryOf, type StartOptions, start } from '../../bench/processes.ts'
import type { Look } from './probe.ts'

/** A gateway's process, seen from outside and, if it is Node, from inside. */
export interface Watched extends Measured {
  /** What is alive in it; undefined if it is not Node. */
  look(): Promise<Look | undefined>
  /** Sockets that it has open. */
  sockets(): number
  /** Resident memory in MB. */
  memory(): number
  /** Lines that it printed about exceptions that nobody caught. */
  readonly complaints: readonly string[]
  readonly died: boolean
}

/** Arguments of Node that load the probe. */
export const probe = ['--import', './test/proofs/faults/probe.ts']

/** Starts a process with the probe in it. */
export async function startNode(options: Omit<StartOptions, 'core' | 'ipc'>): Promise<Watched> {
  return watch(await start({ ...options, core: undefined, ipc: true }), true)
}

/** Watches a process that was started. */
export function watch(process: Measured, probed = false): Watched {
  const { child, output, pid } = process
  const complaints: string[] = []
  let died = false
  let rest = ''
  const read = (bytes: Buffer) => {
    const lines = (rest + bytes).split('\n')
    rest = lines.pop() ?? ''
    complaints.push(...lines.filter((line) => /uncaught|unhandled|failed unexpectedly/i.test(line)))
  }
  for (const stream of output) stream.on('data', read)
  child.once('exit', () => {
    died = true
  })
  return {
    ...process,
    async look() {
      if (!probed || died) return undefined
      child.send('look')
      const [told] = await once(child, 'message')
      return told as Look
    },
    sockets: () => (died ? 0 : socketsOf(pid)),
    memory: () => (died ? 0 : memoryOf(pid).now),
    complaints,
    get died() {
      return died
    },
  }
}

function socketsOf(pid: number): number {
  const folder = `/proc/${pid}/fd`
  if (!existsSync(folder)) return 0
  return readdirSync(folder).filter((name) => isSocket(`${folder}/${name}`)).length
}

function isSocket(file: string): boolean {
  try {
    return readlinkSync(file).startsWith('socket:')
  } catch {
    // Closed since it was listed.
    return false
  }
}
