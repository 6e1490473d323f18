import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'vitest'
import { commands } from '../../src/cli/commands.ts'
import { bareEnv, run } from './children.ts'
import { root } from './snippets.ts'

interface Manifest {
  readonly version: string
  readonly scripts: Readonly<Record<string, string>>
}

/** Checks what can be checked of a command without its effects. Throws where it is not known how. */
export async function checkCommand(command: string): Promise<void> {
  const words = command.split(/\s+/)
  while (/^[A-Z_]+=/.test(words[0] ?? '')) await checkVariable(words.shift()?.split('=')[0] ?? '')
  const [program, verb = '', ...rest] = words
  if (program === 'npx' && verb === 'wrangler') return await checkWrangler(rest)
  if (program === 'npx' && verb === 'samewire') return await checkSamewire(rest)
  if (program === 'grep') return
  if (program === 'docker') return expect(existsSync(join(root, fileOf(verb))), fileOf(verb)).toBe(true)
  if (program !== 'npm') throw new Error(`no way to check ${command}`)
  if (verb === 'ci' && rest.length === 0) return
  const { scripts, version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as Manifest
  if (verb === 'pack') return expect(scripts.prepack).toBeDefined()
  if (verb === 'install') return expect(rest.at(-1)).toBe(`./samewire-${version}.tgz`)
  const [script = '', ...args] = verb === 'run' ? rest : [verb, ...rest]
  expect(Object.keys(scripts)).toContain(script)
  const [, own] = /src\/node\.js ?(.*)$/.exec(scripts[script] ?? '') ?? []
  const hasFlags = args.some((word) => /^-./.test(word) && word !== '--')
  if (own === undefined) return expect(hasFlags, `nothing says which flags ${script} has`).toBe(false)
  if (args.length === 0) return
  expect(args[0], 'npm keeps flags for itself unless -- stands before them').toBe('--')
  await checkSamewire([...(own ? [own] : []), ...args.slice(1)])
}

/** What a command of Docker's reads. */
const fileOf = (verb: string) => (verb === 'compose' ? 'compose.yaml' : 'Dockerfile')

/** The command is there, and has each flag and as many words. */
async function checkSamewire(given: readonly string[]): Promise<void> {
  const redirected = given.findIndex((word) => /^[<>|]/.test(word))
  const args = redirected < 0 ? given : given.slice(0, redirected)
  const name = args[0]?.startsWith('-') ? 'start' : args[0]
  const command = commands.find((each) => each.name === name)
  expect(command, `samewire ${name}`).toBeDefined()
  const syntax = [...(command?.options ?? []), ...options].map((option) => option.syntax)
  for (const flag of args.filter((word) => word.startsWith('-'))) {
    expect(
      syntax.some((each) => each.split(/[ ,]+/).includes(flag)),
      `${flag} of ${name}`,
    ).toBe(true)
  }
}

const options = [{ syntax: '-h, --help' }, { syntax: '-v, --version' }]

/** A variable that some file of the gateway reads, or the command that asks real servers. */
export async function checkVariable(name: string): Promise<void> {
  const { stdout } = await run('grep', ['-rlw', name, 'src', 'providers', 'test/conformance'])
  expect(stdout, `nobody reads ${name}`).not.toBe('')
}

/** What wrangler says of its commands, each of which takes it a second. */
const helps = new Map<string, ReturnType<typeof run>>()

async function checkWrangler(words: readonly string[]): Promise<void> {
  const name = words.at(-1) ?? ''
  const verbs = /^[A-Z_]+$/.test(name) ? words.slice(0, -1) : words
  if (verbs.length < words.length) await checkVariable(name)
  const command = verbs.join(' ')
  const asked =
    helps.get(command) ?? run('wrangler', [...verbs, '--help'], { ...bareEnv, WRANGLER_SEND_METRICS: 'false' })
  helps.set(command, asked)
  expect((await asked).stdout).toContain(`wrangler ${command}`)
}
