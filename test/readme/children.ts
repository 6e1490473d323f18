import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { connect } from 'node:net'
import { compiled } from '../support/compile-cache.ts'
import { root } from './snippets.ts'

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

type Env = Record<string, string | undefined>

/** Only what every program needs: no key and no address of whoever runs the tests. */
export const bareEnv: Env = {
  PATH: `${root}node_modules/.bin:${process.env.PATH}`,
  HOME: process.env.HOME,
  ...compiled(),
}

function start(command: string, args: readonly string[], env: Env): ChildProcessWithoutNullStreams {
  return spawn(command, args, { cwd: root, env: env as NodeJS.ProcessEnv })
}

/** Runs a program to its end. */
export function run(command: string, args: readonly string[], env: Env = bareEnv, stdin = ''): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = start(command, args, env)
    let stdout = ''
    let stderr = ''
    child.stdout.setEncoding('utf8').on('data', (text) => {
      stdout += text
    })
    child.stderr.setEncoding('utf8').on('data', (text) => {
      stderr += text
    })
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, stdout, stderr }))
    child.stdin.on('error', () => {})
    child.stdin.end(stdin)
  })
}

/** Whether somebody listens there: an Ollama of the machine would be found, and answer in the place of the demo. */
export function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.on('connect', () => resolve(true)).on('error', () => resolve(false))
    socket.on('connect', () => socket.destroy())
  })
}

export interface RunningProgram {
  /** Without `/v1`. */
  readonly url: string
  /** What it printed at its start. */
  readonly printed: string
  stop(): Promise<void>
}

/** The gateway as `npm start` runs it, on a free port. */
export const startProgram = (...args: readonly string[]): Promise<RunningProgram> => startIn(bareEnv, ...args)

export function startIn(env: Env, ...args: readonly string[]): Promise<RunningProgram> {
  return new Promise((resolve, reject) => {
    const child = start(process.execPath, ['src/node.js', '--port', '0', ...args], env)
    const ended = new Promise<void>((closed) => child.once('close', () => closed()))
    let printed = ''
    const read = (text: string) => {
      printed += text
      const url = /listens on (\S+)\/v1/.exec(printed)?.[1]
      // The request to paste is the last that it says.
      if (!url || !/curl .*\n/.test(printed)) return
      const stop = async () => {
        child.kill()
        await ended
      }
      resolve({ url, printed, stop })
    }
    child.stdout.setEncoding('utf8').on('data', read)
    child.stderr.setEncoding('utf8').on('data', read)
    child.once('close', () => reject(new Error(`the gateway did not start: ${printed}`)))
  })
}
