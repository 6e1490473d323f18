import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createConnection } from 'node:net'
import type { BuiltWorker } from '../../scripts/worker.ts'
import { bindingsFor, ours, samewire } from './contenders.ts'
import { cores } from './machine.ts'
import { portkey } from './portkey.ts'
import { cpuOf } from './processes.ts'
import { chatBody, key, requestBytes } from './requests.ts'
import type { Readings } from './rounds.ts'
import type { Reading } from './scenarios.ts'
import { bundle, configure, freePort } from './workerd.ts'

/** Named differently from the `cpu` of a request, which is in microseconds. */
const figure = 'cpu ms'

interface Candidate {
  readonly name: string
  readonly port: number
  readonly command: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly headers?: Readonly<Record<string, string>>
}

/**
 * Milliseconds from the start of the process to its first answer, a chat completion of the upstream, for samewire, F
 * and P. Their files are in the system's cache, as on the second start on a machine.
 */
export async function coldStarts(upstream: string, times: number, withPortkey: boolean): Promise<Readings> {
  return await inTurns(times, async () => {
    const [port, floorPort, theirs] = [await freePort(), await freePort(), await freePort()]
    const floor = [process.execPath, 'test/bench/floor.ts', String(floorPort), upstream]
    return [
      { name: 'F', port: floorPort, command: floor },
      { name: ours.node, port, ...(await samewire(upstream, port)) },
      ...(withPortkey ? [{ name: 'P', port: theirs, ...portkey(theirs, upstream) }] : []),
    ]
  })
}

/**
 * CPU in milliseconds that the Worker's code costs workerd from start to first answer: what the process has used by
 * then, minus what it uses with a Worker that only forwards requests. More than the edge's start-up time, which covers
 * only the evaluation of the modules: this includes the first request, which builds the gateway, and the CPU of all of
 * workerd's threads.
 */
export async function startUpCpu(upstream: string, worker: BuiltWorker, times: number): Promise<Readings> {
  const relay = await bundle('relay', 'test/bench/relay-worker.ts')
  const served = async (
    name: string,
    of: BuiltWorker,
    bindings: Readonly<Record<string, string>>,
  ): Promise<Candidate> => {
    const port = await freePort()
    return { name, port, command: ['workerd', 'serve', await configure(of, bindings, { port })] }
  }
  const readings = await inTurns(times, async () => [
    await served('relay', relay, { UPSTREAM: upstream }),
    await served(ours.worker, worker, bindingsFor(upstream)),
  ])
  const base = readings.relay ?? []
  return {
    [ours.worker]: (readings[ours.worker] ?? []).map((reading, round) => {
      const before = base[round]
      return reading && before && { [figure]: (reading[figure] ?? Number.NaN) - (before[figure] ?? Number.NaN) }
    }),
  }
}

/** Starts all candidates one after the other, `times` times. */
async function inTurns(times: number, candidates: () => Promise<readonly Candidate[]>): Promise<Readings> {
  const readings: Record<string, Reading[]> = {}
  for (let round = 0; round < times; round++) {
    for (const candidate of await candidates()) {
      readings[candidate.name] ??= []
      readings[candidate.name]?.push(await startOnce(candidate))
    }
  }
  return readings
}

/** Wall time and CPU time from start to first answer, in milliseconds. */
async function startOnce({ name, port, command, env, headers }: Candidate): Promise<Reading> {
  const body = chatBody({ model: 'bench', bytes: 1_800 })
  const request = requestBytes('/v1/chat/completions', body, { authorization: `Bearer ${key}`, ...headers })
  const pinned = cores.gateway === undefined ? command : ['taskset', '-c', String(cores.gateway), ...command]
  const [file = '', ...args] = pinned
  const started = performance.now()
  const child = spawn(file, args, { env: { ...process.env, NODE_ENV: 'production', ...env }, stdio: 'ignore' })
  try {
    await answered(child, port, request)
    return { start: performance.now() - started, [figure]: cpuOf(child.pid ?? 0) / 1000 }
  } catch (error) {
    throw new Error(`${name} gave no answer`, { cause: error })
  } finally {
    // `exit` would not be emitted again.
    if (child.exitCode === null) {
      const ended = once(child, 'exit')
      child.kill('SIGKILL')
      await ended
    }
  }
}

/** Retries until the process listens, then waits for a 200. */
async function answered(child: ChildProcess, port: number, request: Buffer): Promise<void> {
  const deadline = performance.now() + 30_000
  while (performance.now() < deadline && child.exitCode === null) {
    const head = await ask(port, request)
    if (head?.startsWith('HTTP/1.1 200')) return
    if (head) throw new Error(head)
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  throw new Error('nobody listens')
}

/** The start of the answer; undefined if nothing listens yet. */
function ask(port: number, request: Buffer): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = createConnection({ port, host: '127.0.0.1', noDelay: true })
    socket.on('connect', () => socket.write(request))
    socket.on('data', (bytes: Buffer) => {
      resolve(bytes.toString('latin1', 0, 200))
      socket.destroy()
    })
    socket.on('error', () => {})
    socket.on('close', () => resolve(undefined))
  })
}
