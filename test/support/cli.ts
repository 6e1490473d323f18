import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { afterAll } from 'vitest'
import type { Command } from '../../src/cli/command.ts'
import { runCommand } from '../../src/cli/program.ts'

export interface Outcome {
  readonly code: number
  readonly output: string
  readonly errors: string
}

export interface Place {
  readonly env?: Record<string, string>
  readonly folder?: string
  /** What stands on the standard input; default: a terminal at which nobody types. */
  readonly input?: string
  /** Whether the output is a terminal. */
  readonly terminal?: boolean
  readonly commands?: readonly Command[]
}

/** Runs a line of `samewire` in this process. No server of the machine is found, and no key of its user. */
export async function samewire(line: string | readonly string[], place: Place = {}): Promise<Outcome> {
  const { env, input, terminal = false, ...more } = place
  const output = Object.assign(new PassThrough(), { isTTY: terminal })
  const errors = new PassThrough()
  const code = await runCommand(typeof line === 'string' ? line.split(' ').filter((word) => word !== '') : line, {
    input:
      input === undefined ? Object.assign(Readable.from([]), { isTTY: true }) : Readable.from([Buffer.from(input)]),
    output,
    errors,
    env: { OLLAMA_HOST: 'http://127.0.0.1:1', ...env },
    version: '1.2.3',
    ...more,
  })
  output.end()
  errors.end()
  const [said, complained] = await Promise.all([text(output), text(errors)])
  return { code, output: said, errors: complained }
}

/** A folder with these files, until the tests of the file are over. */
export async function folderOf(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'samewire-cli-'))
  afterAll(() => rm(folder, { recursive: true }))
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content)
  return folder
}
