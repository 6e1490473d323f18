import { describe, expect, it } from 'vitest'
import type { Command } from '../../src/cli/command.ts'
import { commands } from '../../src/cli/commands.ts'
import { samewire } from '../support/cli.ts'

describe('The help', () => {
  it.each(['--help', '-h', 'help'])('lists the commands and the options of a start: %s', async (line) => {
    const { code, output, errors } = await samewire(line)
    expect({ code, errors }).toEqual({ code: 0, errors: '' })
    for (const { name } of commands) expect(output).toMatch(new RegExp(`^ {2}${name}\\b`, 'm'))
    expect(output).toMatch(/^ {2}--port <N> /m)
    expect(output).toContain('SAMEWIRE_URL')
  })

  it.each(commands)(
    'of $name shows its options, and examples that use the right ones',
    async ({ name, options = [] }) => {
      const { output } = await samewire(`${name} --help`)
      expect(await samewire(`help ${name}`)).toMatchObject({ code: 0, output })
      for (const { syntax } of options) expect(output).toContain(`  ${syntax}`)
      const [, examples = ''] = output.split('\nExamples:\n')
      const own = examples.split(/[\n|&]/).filter((line) => line.includes(`samewire ${name}`))
      expect(own.length).toBeGreaterThan(0)
      for (const [flag] of own.join().matchAll(/ -{1,2}[a-z]\S*/g)) expect(output.split('Examples:')[0]).toContain(flag)
    },
  )

  it('has bold titles in a terminal, unless NO_COLOR is set', async () => {
    expect((await samewire('--help', { terminal: true })).output).toContain('\x1b[1mCommands:\x1b[22m')
    expect((await samewire('--help', { terminal: true, env: { NO_COLOR: '1' } })).output).not.toContain('\x1b')
    expect((await samewire('--help')).output).not.toContain('\x1b')
  })
})

it.each(['--version', '-v', '--port 1 --version'])('tells the version: %s', async (line) => {
  expect(await samewire(line)).toEqual({ code: 0, output: '1.2.3\n', errors: '' })
})

it.each([
  ['help modles', "error: unknown command 'modles'\n(Did you mean models?)\n"],
  ['modles', "error: unknown command 'modles'\n(Did you mean models?)\n"],
  ['models --jsno', "error: unknown option '--jsno'\n(Did you mean --json?)\n`samewire models --help` shows"],
  ['check a b', "error: too many arguments for 'check'. Expected 1 argument but got 2"],
  ['completion', "error: missing required argument 'shell'\n"],
  [
    'completion tcsh',
    "error: command-argument value 'tcsh' is invalid for argument 'shell'. Allowed choices are bash, ",
  ],
])('a wrong line is told with what may be meant: %s', async (line, expected) => {
  const { code, output, errors } = await samewire(line)
  expect({ code, output }).toEqual({ code: 2, output: '' })
  expect(errors.slice(0, expected.length)).toBe(expected)
})

it('an error that nobody foresaw is no sentence for the user', async () => {
  const broken: Command = {
    name: 'broken',
    summary: '',
    examples: [],
    run: () => Promise.reject(new RangeError('bug')),
  }
  await expect(samewire('broken', { commands: [broken] })).rejects.toThrow(RangeError)
})
