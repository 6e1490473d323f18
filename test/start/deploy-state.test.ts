import { execFile } from 'node:child_process'
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { withState } from '../../scripts/deploy-state.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const toml = await readFile(join(root, 'wrangler.toml'), 'utf8')
const id = '0b5c1c2e-0000-4000-8000-000000000001'
let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'deploy-state-'))
  await writeFile(join(folder, 'wrangler.toml'), toml)
})
afterEach(() => rm(folder, { recursive: true }))

/** Runs it beside a wrangler that only remembers what it was asked; `queues`: what that says to a new queue. */
async function deploy(queues = ''): Promise<{ readonly asked: readonly string[]; readonly said: string }> {
  const stub = `#!/bin/sh
echo "$*" >> asked
case "$1 $2" in
  'd1 list') test -e made && echo '[{"uuid":"${id}","name":"samewire"}]' || echo '[{"uuid":"x","name":"another"}]' ;;
  'd1 create') touch made ;;
  'queues create') ${queues && `echo '${queues}' >&2; exit 1`} ;;
esac
`
  await writeFile(join(folder, 'wrangler'), stub)
  await chmod(join(folder, 'wrangler'), 0o755)
  const env = { ...process.env, PATH: [folder, dirname(process.execPath), process.env.PATH].join(delimiter) }
  const script = join(root, 'scripts/deploy-state.ts')
  const { stdout } = await promisify(execFile)(process.execPath, [script], { cwd: folder, env })
  const asked = (await readFile(join(folder, 'asked'), 'utf8')).trim().split('\n')
  await rm(join(folder, 'asked'))
  return { asked, said: stdout }
}

const written = () => readFile(join(folder, 'wrangler.toml'), 'utf8')

it('`npm run deploy:state` makes a database and a queue, binds them, and deploys', async () => {
  const { asked, said } = await deploy()
  const made = ['d1 list --json', 'd1 create samewire', 'd1 list --json', 'queues create samewire-ledger', 'deploy']
  expect(asked).toEqual(made)
  expect(await written()).toBe(withState(toml, { database: id, queue: true }))
  expect(await written()).toContain(`\ndatabase_id = "${id}"\n`)
  expect(said).toContain('npx wrangler secret put SAMEWIRE_ADMIN_KEY')
})

it('`npm run deploy:state` changes nothing the second time', async () => {
  await deploy()
  const before = await written()
  const { asked } = await deploy('A queue of this name is already taken [code: 11009]')
  expect(asked).toEqual(['d1 list --json', 'queues create samewire-ledger', 'deploy'])
  expect(await written()).toBe(before)
})

it('`npm run deploy:state` does without a queue where the account may have none, and says so', async () => {
  const { said } = await deploy('Queues are not for this account')
  expect(said).toContain('each request writes its own row: Queues are not for this account')
  const lines = (await written()).split('\n')
  expect(lines.some((line) => line.startsWith('[[queues'))).toBe(false)
  expect(lines).toContain('SAMEWIRE_STATE = "d1"')
  await deploy()
  expect(await written()).toBe(withState(toml, { database: id, queue: true }))
})

it('`npm run deploy:state` adds to the variables that are there', async () => {
  await writeFile(join(folder, 'wrangler.toml'), `${toml}\n[vars]\nSAMEWIRE_CONFIG = '{}'\n`)
  await deploy()
  const tables = (await written()).split('\n').filter((line) => line === '[vars]')
  expect(tables).toHaveLength(1)
  expect(await written()).toContain('[vars]\nSAMEWIRE_STATE = "d1"\nSAMEWIRE_CONFIG')
})
