import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { start } from '../../src/cli/start.ts'
import { endings } from '../../src/config/load.ts'
import { readArguments } from '../../src/node/arguments.ts'
import { usualNames } from '../../src/node/configuration.ts'
import { launch } from '../support/program.ts'

async function printedBy(args: readonly string[], env: Record<string, string> = {}): Promise<string> {
  const program = launch(args, env)
  expect(await program.ended).toBe(0)
  return program.printed()
}

const names = (start.options ?? []).map(({ syntax }) => /^--\w+/.exec(syntax)?.[0] ?? '')

describe('--help', () => {
  it.each([['-h'], ['--workers', 'x', '--help'], ['--nonsense', '--help']])(
    'helps whatever else is wrong: %s',
    async (...args) => {
      const text = await printedBy(args, { PORT: 'x' })
      for (const name of names) expect(text).toMatch(new RegExp(`^ {2}${name} <[A-Z]+> {2}`, 'm'))
      expect(text).toContain('Examples:\n  samewire\n')
    },
  )

  it('shows the options that a start reads, and each in an example', () => {
    expect(names).toEqual(['--config', '--port', '--host', '--workers', '--grace'])
    for (const name of names) {
      expect(() => readArguments([name, '1'], {})).not.toThrow()
      expect(start.examples.join()).toContain(` ${name} `)
    }
  })

  it('names the endings that a configuration can have, and its usual names', async () => {
    const text = (await printedBy(['--help'])).replace(/\s+/g, ' ')
    expect(text).toContain(`The configuration: ${endings.join(', ')}. `)
    expect(text).toContain(`in the working directory: ${usualNames.join(', ')}. `)
  })
})

describe('--version', () => {
  it.each(['--version', '-v'])('is that of package.json: %s', async (option) => {
    const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
    expect(await printedBy([option])).toBe(`${version}\n`)
  })
})

it.each([
  ['an option that is none', ['--prot', '1'], "unknown option '--prot'\n(Did you mean --port?)"],
  ['a value that is missing', ['--workers'], "option '--workers <N>' argument missing"],
  ['a word too many', ['start'], "too many arguments for 'start'"],
])('%s is told, with where to read more', async (_what, args, expected) => {
  const program = launch(args)
  expect(await program.ended).toBe(2)
  expect(program.printed().startsWith(`error: ${expected}`)).toBe(true)
  expect(program.printed()).toContain('`samewire start --help` shows what there is.')
  expect(program.printed()).not.toMatch(/^ {4}at /m)
})

it('a value that begins with a dash is read as one', async () => {
  const program = launch(['--workers', '-1'])
  expect(await program.ended).toBe(2)
  expect(program.printed()).toBe("--workers can't be used:\n  found -1; allowed: 1 to 256, auto\n")
})
