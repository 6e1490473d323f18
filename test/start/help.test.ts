import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { endings } from '../../src/config/load.ts'
import { launch } from '../support/program.ts'

async function printedBy(args: readonly string[], env: Record<string, string> = {}): Promise<string> {
  const program = launch(args, env)
  expect(await program.ended).toBe(0)
  return program.printed()
}

describe('--help', () => {
  it('shows every option, and each in an example', async () => {
    const text = await printedBy(['--help'])
    const options = [...(text.split('\n')[0] ?? '').matchAll(/\[(--\w+)/g)].map(([, name = '']) => name)
    expect(options.sort()).toEqual(['--config', '--grace', '--help', '--host', '--port', '--version', '--workers'])
    for (const option of options) {
      expect(text).toMatch(new RegExp(`^ {2}${option}\\b`, 'm'))
      expect(text).toMatch(new RegExp(`^ {4,}.*npm start -- ${option}\\b`, 'm'))
    }
  })

  it.each([['-h'], ['--workers', 'x', '--help'], ['--nonsense', '--help']])(
    'helps whatever else is wrong: %s',
    async (...args) => {
      expect(await printedBy(args, { PORT: 'x' })).toContain('--workers N')
    },
  )
})

it('names the endings that a configuration can have', async () => {
  expect(await printedBy(['--help'])).toContain(`--config FILE  The configuration: ${endings.join(', ')}.`)
})

describe('--version', () => {
  it.each(['--version', '-v'])('is that of package.json: %s', async (option) => {
    const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
    expect(await printedBy([option])).toBe(`${version}\n`)
  })
})

it('an option that is none is told, with those that are', async () => {
  const program = launch(['--prot', '1'])
  expect(await program.ended).toBe(1)
  expect(program.printed()).toMatch(/--prot[\s\S]*\nnpm start -- \[--config FILE\] \[--port N\]/)
  expect(program.printed()).not.toMatch(/^ {4}at /m)
})
