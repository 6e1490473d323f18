import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'

/** A process under measurement. */
export interface Measured {
  readonly name: string
  readonly port: number
  readonly pid: number
  stop(): Promise<void>
}

export interface StartOptions {
  readonly name: string
  readonly command: readonly string[]
  /** The core to keep it on; undefined where the machine has but one. */
  readonly core: number | undefined
  readonly env?: Readonly<Record<string, string>>
  /** Finds the port in what the process prints. */
  readonly port: RegExp
}

/** What `npm start` runs: V8's flags stand there, and are part of what is measured. */
export function npmStart(...args: readonly string[]): [program: string, ...args: string[]] {
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: { start: string } }
  return [process.execPath, ...scripts.start.split(' ').slice(1), ...args]
}

/** Starts a process and waits until it says on which port it listens. Rejects with what it printed if it ends. */
export function start({ name, command, core, env = {}, port }: StartOptions): Promise<Measured> {
  const pinned = core === undefined ? command : ['taskset', '-c', String(core), ...command]
  const [file = '', ...args] = pinned
  const child = spawn(file, args, { env: { ...process.env, NODE_ENV: 'production', ...env }, stdio: 'pipe' })
  return new Promise((resolve, reject) => {
    let printed = ''
    const read = (bytes: Buffer) => {
      printed += bytes
      const found = port.exec(printed)?.[1]
      if (found) resolve({ name, port: Number(found), pid: child.pid ?? 0, stop: () => stop(child) })
    }
    child.stdout.on('data', read)
    child.stderr.on('data', read)
    child.once('exit', (code) => reject(new Error(`${name} ended with ${code}:\n${printed}`)))
    child.once('error', reject)
  })
}

function stop(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null) return resolve()
    child.once('exit', () => resolve())
    child.kill('SIGTERM')
    const last = setTimeout(() => child.kill('SIGKILL'), 2_000)
    child.once('exit', () => clearTimeout(last))
  })
}

/** Where the scheduler keeps its own books, which count nanoseconds; utime and stime count 10 ms. */
const exact = existsSync('/proc/self/schedstat')

/** CPU time of a process and all its threads so far, user and system, in microseconds. */
export function cpuOf(pid: number): number {
  if (exact) return readdirSync(`/proc/${pid}/task`).reduce((sum, task) => sum + cpuOfThread(pid, task), 0)
  const fields = statOf(pid)
  return (Number(fields[11]) + Number(fields[12])) * 10_000
}

function cpuOfThread(pid: number, task: string): number {
  const file = `/proc/${pid}/task/${task}/schedstat`
  // A thread may end between being listed and being read.
  return existsSync(file) ? Number(readFileSync(file, 'utf8').split(' ')[0]) / 1000 : 0
}

/** Resident memory in MB: now, and the most there ever was. */
export function memoryOf(pid: number): { now: number; peak: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const read = (name: string) => Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1] ?? 0) / 1024
  return { now: read('VmRSS'), peak: read('VmHWM') }
}

/** The fields behind the name, which may hold spaces. */
function statOf(pid: number): string[] {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
}
