import { availableParallelism } from 'node:os'
import { expect, it } from 'vitest'
import { readArguments } from '../../src/node/arguments.ts'

it.each<[string, string[], Record<string, string>, number]>([
  ['one process unless somebody asks for more', [], {}, 1],
  ['as many as --workers says', ['--workers', '4'], {}, 4],
  ['as many as SAMEWIRE_WORKERS says', [], { SAMEWIRE_WORKERS: '3' }, 3],
  ['what the command line says where both say something', ['--workers', '2'], { SAMEWIRE_WORKERS: 'x' }, 2],
  ['one a core', ['--workers', 'auto'], {}, availableParallelism()],
])('takes %s', (_what, args, env, expected) => {
  expect(readArguments(args, env).workers).toBe(expected)
})

it.each(['0', '-1', 'x', '9999', '1.5', '', '2 '.repeat(2)])('does not take %j for a number of workers', (given) => {
  const allowed = `can't be used:\n  found ${given}; allowed: 1 to 256, auto`
  expect(() => readArguments([`--workers=${given}`], {})).toThrow(`--workers ${allowed}`)
  expect(() => readArguments([], { SAMEWIRE_WORKERS: given })).toThrow(`SAMEWIRE_WORKERS ${allowed}`)
})
