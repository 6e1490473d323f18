import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'vitest'
import { bareEnv, run } from './children.ts'
import { root } from './snippets.ts'

interface Manifest {
  readonly scripts: Readonly<Record<string, string>>
}

/** Checks what can be checked of a command without its effects. Throws where it is not known how. */
export async function checkCommand(command: string): Promise<void> {
  const words = command.split(/\s+/)
  while (/^[A-Z_]+=/.test(words[0] ?? '')) await checkVariable(words.shift()?.split('=')[0] ?? '')
  const [program, verb = '', ...rest] = words
  if (program === 'npx' && verb === 'wrangler') return await checkWrangler(rest)
  if (program === 'grep') return
  if (program !== 'npm') throw new Error(`no way to check ${command}`)
  if (verb === 'ci' && rest.length === 0) return
  const [script = '', ...args] = verb === 'run' ? rest : [verb, ...rest]
  const { scripts } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as Manifest
  expect(Object.keys(scripts)).toContain(script)
  await checkFlags(scripts[script] ?? '', args)
}

/** Each flag stands in what the script's program says of itself. */
async function checkFlags(script: string, args: readonly string[]): Promise<void> {
  const flags = args.filter((word) => word.startsWith('--') && word !== '--')
  if (flags.length === 0) return
  expect(args[0], 'npm keeps flags for itself unless -- stands before them').toBe('--')
  const { stdout } = await run(process.execPath, [/src\/\S+\.[jt]s/.exec(script)?.[0] ?? '', '--help'])
  for (const flag of flags) expect(stdout).toContain(`[${flag} `)
}

/** A variable that some file of the gateway reads, or the command that asks real servers. */
export async function checkVariable(name: string): Promise<void> {
  const { stdout } = await run('grep', ['-rlw', name, 'src', 'providers', 'test/conformance'])
  expect(stdout, `nobody reads ${name}`).not.toBe('')
}

async function checkWrangler(words: readonly string[]): Promise<void> {
  const name = words.at(-1) ?? ''
  const verbs = /^[A-Z_]+$/.test(name) ? words.slice(0, -1) : words
  if (verbs.length < words.length) await checkVariable(name)
  const { stdout } = await run('wrangler', [...verbs, '--help'], { ...bareEnv, WRANGLER_SEND_METRICS: 'false' })
  expect(stdout).toContain(`wrangler ${verbs.join(' ')}`)
}
