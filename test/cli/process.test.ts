import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { symlink } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { bareEnv } from '../readme/children.ts'
import { folderOf } from '../support/cli.ts'
import { launch } from '../support/program.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const entry = join(root, 'src/node.js')

/** What the gateway says that the commands ask. */
const server = createServer((request, response) => {
  if (request.url?.startsWith('/silent')) return
  const data = Array.from({ length: 20_000 }, (_, index) => ({ id: `model-${index}`, object: 'model' }))
  response.end(JSON.stringify({ object: 'list', data }))
}).listen(0, '127.0.0.1')
await once(server, 'listening')
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
afterAll(() => {
  server.close()
  server.closeAllConnections()
})

function begin(program: string, args: readonly string[], env: Record<string, string> = {}, cwd = root) {
  const child = spawn(program, args, { cwd, env: { ...bareEnv, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  const ended = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>
  return { child, ended, output: text(child.stdout), errors: text(child.stderr) }
}

it.each(['import "node:path"\nexport default {}', 'export default {}'])(
  'a configuration in a package of CommonJS is told how it can be a module: %s',
  async (text) => {
    const folder = await folderOf({
      'package.json': '{"type":"commonjs"}',
      'samewire.config.ts': text,
      'samewire.config.mts': text,
    })
    const refused = begin(process.execPath, [entry, 'check', 'samewire.config.ts'], {}, folder)
    expect(await refused.output).toContain('end its name in .mts or .mjs, or have "type": "module" in package.json')
    expect((await refused.ended)[0]).toBe(1)
    const right = begin(process.execPath, [entry, 'check', 'samewire.config.mts'], {}, folder)
    expect(await right.output).toContain('samewire.config.mts is right.')
  },
)

it('Ctrl-C ends a command that waits, as a shell expects it: with 130', async () => {
  const { child, ended } = begin(process.execPath, [entry, 'models', '--url', `${url}/silent`])
  await once(server, 'request')
  child.kill('SIGINT')
  const [code, signal] = await ended
  expect(signal === null ? code : 128 + { SIGINT: 2 }[String(signal)]!).toBe(130)
})

it('a reader who has read enough, such as head, ends a command without a word', async () => {
  const line = `"${process.execPath}" src/node.js models -q --url ${url} | head -1; echo \${PIPESTATUS[0]}`
  const { output, errors } = begin('bash', ['-c', line])
  expect(await Promise.all([output, errors])).toEqual(['model-0\n0\n', ''])
})

it('a command reads .env as the gateway does', async () => {
  const folder = await folderOf({ '.env': `SAMEWIRE_URL=${url}/` })
  const { output } = begin(process.execPath, [entry, 'models', '-q'], {}, folder)
  expect(await output).toMatch(/^model-0\n/)
})

it('a start takes the configuration in the working directory, the first of several, and says so', async () => {
  const demo = { providers: { found: { type: 'embedded' } } }
  const folder = await folderOf({ 'samewire.yaml': JSON.stringify(demo), 'samewire.json': '{}' })
  const program = launch([], {}, folder)
  await program.until(/^ {2}found .*tiny-chat$/m)
  expect(program.printed()).toMatch(/^samewire\.yaml is used, and samewire\.json is not: --config FILE chooses$/m)
  program.signal('SIGTERM')
  await program.ended
})

describe.skipIf(process.platform === 'win32')('samewire, as a command', () => {
  /** A configuration that tells of its process, and ends it. */
  const told = 'console.log(JSON.stringify([process.pid, ...process.execArgv])); process.exit()'

  async function flagsOf(...given: readonly string[]) {
    const folder = await folderOf({ 'config.mjs': told })
    await symlink(entry, join(folder, 'samewire'))
    const args = [...given, join(folder, 'samewire'), '--config', 'config.mjs']
    const { child, output } = begin(process.execPath, args, {}, folder)
    const [pid, ...flags] = JSON.parse((await output).split('\n')[0] ?? '')
    return { isSame: pid === child.pid, flags }
  }

  it('starts the gateway with the flags of npm start, in the same process', async () => {
    expect(await flagsOf('--no-warnings')).toEqual({
      isSame: true,
      flags: [...['--no-warnings', '--min-semi-space-size=8', '--max-semi-space-size=8', '--heap-growing-percent=300']],
    })
  })

  it('leaves flags of the user as they are', async () => {
    expect((await flagsOf('--max_semi_space_size=32')).flags).toEqual(['--max_semi_space_size=32'])
  })

  it('is what npx runs in a clone', async () => {
    const cache = await folderOf({})
    const { output, ended } = begin('npx', ['samewire', '--help'], {
      npm_config_offline: 'true',
      npm_config_cache: cache,
    })
    expect(await output).toMatch(/^Usage: samewire /)
    expect((await ended)[0]).toBe(0)
  })
})
