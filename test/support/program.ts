import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Config } from '../../src/config/schema.ts'
import { compiled } from './compile-cache.ts'

const entry = fileURLToPath(new URL('../../src/node.js', import.meta.url))

/** The gateway as `npm start` runs it. */
export interface Program {
  readonly pid: number
  /** All output so far. */
  printed(): string
  /** Resolves when the output matches `pattern`. Rejects if the program ends first. */
  until(pattern: RegExp): Promise<RegExpExecArray>
  signal(name: NodeJS.Signals): void
  /** The exit code. */
  readonly ended: Promise<number | null>
}

/** `cwd` is where a `.env` would be. `file`: another build of the gateway. */
export function launch(args: readonly string[], env: Record<string, string> = {}, cwd?: string, file = entry): Program {
  const child = spawn(process.execPath, [file, '--port', '0', ...args], {
    cwd,
    // Hides the keys and servers of the user who runs the tests. A machine that stands still must cut no stream.
    env: { PATH: process.env.PATH, OLLAMA_HOST: 'http://127.0.0.1:1', SAMEWIRE_GRACE: '120', ...compiled(), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let text = ''
  let over = false
  let wake = Promise.withResolvers<void>()
  const changed = () => {
    wake.resolve()
    wake = Promise.withResolvers()
  }
  for (const output of [child.stdout, child.stderr]) {
    output.setEncoding('utf8').on('data', (piece: string) => {
      text += piece
      changed()
    })
  }
  const ended = new Promise<number | null>((resolve) => {
    child.once('close', (code) => {
      over = true
      changed()
      resolve(code)
    })
  })
  return {
    pid: child.pid ?? 0,
    printed: () => text,
    async until(pattern) {
      for (;;) {
        const found = pattern.exec(text)
        if (found) return found
        if (over) throw new Error(`the gateway ended before it printed ${pattern}:\n${text}`)
        await wake.promise
      }
    },
    signal: (name) => void child.kill(name),
    ended,
  }
}

/** Writes the configuration to a file. `remove` deletes it. */
export async function configFile(config: Config): Promise<{ path: string; remove(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'samewire-'))
  const path = join(folder, 'config.json')
  await writeFile(path, JSON.stringify(config))
  return { path, remove: () => rm(folder, { recursive: true }) }
}
