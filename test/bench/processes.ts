import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { closeSync, constants, existsSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'

/** A process to measure. */
export interface Measured {
  readonly name: string
  readonly port: number
  readonly pid: number
  readonly child: ChildProcess
  /** What it prints. */
  readonly output: readonly Readable[]
  stop(): Promise<void>
}

export interface StartOptions {
  readonly name: string
  readonly command: readonly string[]
  /** The core to run on; undefined if the machine has only one. */
  readonly core: number | undefined
  readonly env?: Readonly<Record<string, string>>
  /** Whether messages can be sent to it. */
  readonly ipc?: boolean
  /** Matches the port in the output of the process. */
  readonly port: RegExp
}

/** The command of `npm start`, including V8's flags, which are part of what is measured. */
export function npmStart(...args: readonly string[]): [program: string, ...args: string[]] {
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: { start: string } }
  return [process.execPath, ...scripts.start.split(' ').slice(1), ...args]
}

/** Starts a process and waits until it prints its port. Rejects with the output if it ends first. */
export function start({ name, command, core, env = {}, ipc = false, port }: StartOptions): Promise<Measured> {
  const pinned = core === undefined ? command : ['taskset', '-c', String(core), ...command]
  const [file = '', ...args] = pinned
  const stdout = openPipe()
  const child = spawn(file, args, {
    env: { ...process.env, NODE_ENV: 'production', ...env },
    stdio: ['ignore', stdout.writer, 'pipe', ...(ipc ? (['ipc'] as const) : [])],
  })
  closeSync(stdout.writer)
  const output = [stdout.reader, child.stderr].filter((stream) => stream !== null)
  return new Promise((resolve, reject) => {
    let printed = ''
    const read = (bytes: Buffer) => {
      printed += bytes
      const found = port.exec(printed)?.[1]
      if (!found) return
      // What follows is not kept, but the process must be able to go on printing.
      for (const stream of output) stream.off('data', read).resume()
      resolve({ name, port: Number(found), pid: child.pid ?? 0, child, output, stop: () => stop(child) })
    }
    for (const stream of output) stream.on('data', read)
    child.once('exit', (code) => reject(new Error(`${name} ended with ${code}:\n${printed}`)))
    child.once('error', reject)
  })
}

/** A pipe as containers have it: what Node calls one is a pair of sockets, to which a log is written in another way. */
function openPipe(): { readonly reader: Readable; readonly writer: number } {
  const path = join(tmpdir(), `bench-${process.pid}-${pipes++}`)
  execFileSync('mkfifo', [path])
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  const writer = openSync(path, constants.O_WRONLY)
  rmSync(path)
  return { reader: new Socket({ fd, readable: true, writable: false }), writer }
}

let pipes = 0

function stop(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null) return resolve()
    child.once('exit', () => resolve())
    child.kill('SIGTERM')
    const last = setTimeout(() => child.kill('SIGKILL'), 2_000)
    child.once('exit', () => clearTimeout(last))
  })
}

/** Whether the scheduler's statistics are available, which count nanoseconds; utime and stime count 10 ms. */
const exact = existsSync('/proc/self/schedstat')

/** CPU time of a process and all its threads so far, user and system, in microseconds. */
export function cpuOf(pid: number): number {
  if (exact) return readdirSync(`/proc/${pid}/task`).reduce((sum, task) => sum + cpuOfThread(pid, task), 0)
  const fields = statOf(pid)
  return (Number(fields[11]) + Number(fields[12])) * 10_000
}

function cpuOfThread(pid: number, task: string): number {
  const file = `/proc/${pid}/task/${task}/schedstat`
  // A thread may end after it was listed.
  return existsSync(file) ? Number(readFileSync(file, 'utf8').split(' ')[0]) / 1000 : 0
}

/** Resident memory in MB: current and peak. */
export function memoryOf(pid: number): { now: number; peak: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const read = (name: string) => Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1] ?? 0) / 1024
  return { now: read('VmRSS'), peak: read('VmHWM') }
}

/** The fields after the name, which may contain spaces. */
function statOf(pid: number): string[] {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
}
