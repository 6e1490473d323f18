import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { type Client, clients } from './clients.ts'
import type { Outcome } from './expected.ts'
import { findPython, folder, installNode, installPython } from './install.ts'
import { serve } from './served.ts'
import { printTable, type Row } from './table.ts'

const run = promisify(execFile)
/** Milliseconds for all tasks of one client: far more than any needs. */
const limit = 300_000

interface Started {
  readonly command: readonly string[]
  /** Where its Python packages are. */
  readonly path?: string
}

/**
 * Real clients against the gateway: prints who can do what, and fails unless every client gets every task done that it
 * is able to. Arguments choose clients by a part of their titles.
 */
async function main(names: readonly string[]): Promise<void> {
  const chosen = clients.filter(({ title }) => names.length === 0 || names.some((name) => title.includes(name)))
  await installNode()
  const python = await findPython()
  const ready = new Map<Client, Started | undefined>()
  for (const client of chosen) ready.set(client, await commandOf(client, python))
  const gateway = await serve()
  const rows: Row[] = []
  for (const [{ title, api }, started] of ready) {
    rows.push({ title, api, ...(started ? await perform(started, gateway.baseURL) : noPython) })
  }
  await gateway.close()
  process.exitCode = printTable(rows) ? 0 : 1
}

const noPython = { outcomes: [], absent: 'needs a Python with pip (SAMEWIRE_PYTHON names one)' }

async function commandOf(client: Client, python: string | undefined): Promise<Started | undefined> {
  if ('js' in client) {
    if (client.folder) await installNode(client.folder)
    return { command: [process.execPath, `${folder}js/main.js`, client.js] }
  }
  if (!python) return undefined
  const path = await installPython(python, client.requirement)
  return { command: [python, `${folder}python/main.py`, client.python], path }
}

/** Each client has a process of its own: some change globals, some keep it alive. */
async function perform({ command, path = '' }: Started, baseURL: string): Promise<Omit<Row, 'title' | 'api'>> {
  const [program = '', ...args] = command
  const env = { ...process.env, PYTHONPATH: path, PYTHONDONTWRITEBYTECODE: '1' }
  const { stdout, obstacle } = await run(program, [...args, baseURL], { env, timeout: limit }).then(
    ({ stdout }) => ({ stdout, obstacle: undefined }),
    (error: { stdout: string; stderr: string }) => ({ stdout: error.stdout, obstacle: error.stderr.trim() }),
  )
  const lines = stdout.split('\n').filter((line) => line.startsWith('{"task"'))
  return { outcomes: lines.map((line) => JSON.parse(line) as Outcome), ...(obstacle && { obstacle }) }
}

await main(process.argv.slice(2))
