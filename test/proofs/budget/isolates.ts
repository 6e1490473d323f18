import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bundle, d1Binding, d1Service, freePort } from '../../bench/workerd.ts'
import { pause } from './fates.ts'

export interface Isolates {
  /** One for each. */
  readonly ports: readonly number[]
  /** Kills all at once, and starts them anew. */
  kill(): Promise<void>
  /** Stops all for so many milliseconds. */
  pause(ms: number): Promise<void>
  stop(): Promise<void>
}

export interface IsolatesOptions {
  readonly count: number
  /** Where D1 is. */
  readonly database: number
  /** A file for what the Workers print. */
  readonly log: string
}

/** Objects store what they have on disk before they answer. In memory it outlives workerd as well, and nobody waits. */
const place = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()

/** Starts workerd with so many services of the same Worker, whose objects are the first one's. */
export async function startIsolates({ count, database, log }: IsolatesOptions): Promise<Isolates> {
  const built = await bundle(`prove-budget-${process.pid}`, 'test/workerd/budget-worker.ts')
  const ports = await Promise.all(Array.from({ length: count }, freePort))
  const names = [built.main, ...built.modules.map(({ name }) => name).filter((name) => name !== built.main)]
  const disk = await mkdtemp(join(place, 'budget-'))
  const file = join(built.folder, 'config.capnp')
  await writeFile(file, configOf(ports, names, { disk, database }))
  const [out, err] = await Promise.all([open(log, 'a'), open(join(built.folder, 'budget.log'), 'w')])
  const begin = () => spawn('workerd', ['serve', file], { stdio: ['ignore', out.fd, err.fd] })
  let child = begin()
  await untilThere(child, ports)
  const end = async (signal: NodeJS.Signals) => {
    const ended = once(child, 'exit')
    child.kill(signal)
    await ended
  }
  return {
    ports,
    async kill() {
      await end('SIGKILL')
      child = begin()
      await untilThere(child, ports)
    },
    async pause(ms) {
      child.kill('SIGSTOP')
      await pause(ms)
      child.kill('SIGCONT')
    },
    async stop() {
      if (child.exitCode === null) await end('SIGTERM')
      await Promise.all([out.close(), err.close()])
      await Promise.all([disk, built.folder].map((folder) => rm(folder, { recursive: true })))
    },
  }
}

async function untilThere(child: ChildProcess, ports: readonly number[]): Promise<void> {
  while (!(await fetch(`http://127.0.0.1:${ports[0]}/none`).catch(() => undefined))) {
    if (child.exitCode !== null) throw new Error(`workerd ended with ${child.exitCode}`)
    await pause(20)
  }
}

function configOf(
  ports: readonly number[],
  names: readonly string[],
  { disk, database }: { readonly disk: string; readonly database: number },
): string {
  const files = names.map((name) => `(name = "${name}", esModule = embed "${name}")`).join(', ')
  const services = [
    ...ports.map((_, at) => `(name = "w${at}", worker = .worker${at})`),
    `(name = "disk", disk = (path = "${disk}", writable = true))`,
    d1Service(database),
  ]
  const sockets = ports.map(
    (port, at) => `(name = "s${at}", address = "127.0.0.1:${port}", http = (), service = "w${at}")`,
  )
  const workers = ports.map((_, at) => {
    const objects = at === 0 ? '"Meters"' : '(className = "Meters", serviceName = "w0")'
    const own = `durableObjectNamespaces = [(className = "Meters", uniqueKey = "meters", enableSql = true)],
  durableObjectStorage = (localDisk = "disk"),`
    return `const worker${at} :Workerd.Worker = (
  modules = [${files}],
  bindings = [(name = "METERS", durableObjectNamespace = ${objects}),
    ${d1Binding}],
  ${at === 0 ? own : ''}
  compatibilityDate = "2026-10-20",
);`
  })
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (services = [${services.join(', ')}],
  sockets = [${sockets.join(', ')}]);
${workers.join('\n')}
`
}
