import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { chatBy, compile, pack, runProgram, writeConsumer } from '../support/package.ts'

/**
 * `npm run prove:package`: packs the npm package, installs it into an empty folder as a user does, and uses it: the
 * command, a start with a configuration in TypeScript, programs that import it, its types. With the names of other
 * runtimes, `-- bun deno`, each runs those programs too. Exits with 1 if something isn't as it should be.
 */
const exec = promisify(execFile)
const folder = await mkdtemp(join(tmpdir(), 'samewire-package-'))
const greeting = 'Hello! How can I help you?'

async function step(what: string, work: () => Promise<unknown>): Promise<void> {
  const began = performance.now()
  const more = await work()
  console.log(`ok  ${what}${more === undefined ? '' : `: ${more}`} (${Math.round(performance.now() - began)} ms)`)
}

/** One that asks, and one that keeps keys in a file. */
async function programs(command: readonly string[]): Promise<void> {
  assert.equal(await runProgram(folder, command), `${greeting}\n${greeting}\n`)
  await rm(join(folder, 'kept.db'), { force: true })
  assert.equal(await runProgram(folder, command, 'keeper.mjs'), `${greeting}\n`)
}

try {
  await writeConsumer(folder)
  const packed = await pack(folder)
  await step('npm installs it', async () => {
    const args = ['install', packed.path, '--prefer-offline', '--no-audit', '--no-fund']
    await exec('npm', args, { cwd: folder })
    const names = await readdir(join(folder, 'node_modules'))
    for (const name of ['wrangler', 'vitest', 'rolldown', 'typescript']) assert(!names.includes(name), name)
    return `${names.filter((name) => !name.startsWith('.')).length} packages`
  })
  await step('npx samewire --version', async () => {
    const { stdout } = await exec('npx', ['samewire', '--version'], { cwd: folder })
    assert.match(stdout, /^\d+\.\d+\.\d+\n$/)
    return stdout.trim()
  })
  await step('a start, and a chat by it', async () => assert((await chatBy(folder)).includes(greeting)))
  await step('worker processes, and a chat by them', async () =>
    assert((await chatBy(folder, ['--workers', '2'])).includes(greeting)),
  )
  await step('a program on Node', () => programs([process.execPath]))
  for (const runtime of process.argv.slice(2))
    await step(`a program on ${runtime}`, async () => {
      await exec('npm', ['install', runtime, '--no-save', '--no-audit', '--no-fund'], { cwd: folder })
      const command = join(folder, 'node_modules/.bin', runtime)
      await programs(runtime === 'deno' ? [command, 'run', '-A'] : [command])
      return (await exec(command, ['--version'])).stdout.split('\n')[0]
    })
  await step('its types', async () => assert.equal(await compile(folder), ''))
} finally {
  await rm(folder, { recursive: true })
}
