import { existsSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { partWordings } from '../../src/core/part-wordings.ts'
import { wordings } from '../../src/core/wordings.ts'

const root = new URL('../../', import.meta.url)
const rows = ['wordings', 'part-wordings']
  .flatMap((name) => readFileSync(new URL(`src/core/${name}.ts`, root), 'utf8').split('\n'))
  .filter((line) => /^ {2}\{ (kind|part): /.test(line))

/** For words that a search of public code found without saying where, and for those that were only told of. */
const unnamed = ['public code that holds them', 'a report alone']

function isSource(said: string): boolean {
  if (said.startsWith('test/fixtures/')) return existsSync(new URL(said, root))
  if (said.startsWith('https://')) return URL.canParse(said)
  return (
    said === 'OpenAI’s API reference' || unnamed.includes(said) || /^[\w.-]+\/[\w.-]+(?:#\d+| [\w./-]+)$/.test(said)
  )
}

it('Every row of the table of wordings is told from its text', () => {
  expect(rows).toHaveLength(wordings.length + partWordings.length)
})

it.each(rows)('A wording names who says it and where that was found: %s', (row) => {
  const [, servers, sources] = /\}, \/\/ ([^:]+): (.+)$/.exec(row) ?? []
  expect(servers).toBeTruthy()
  expect(sources?.split(', ').filter((source) => !isSource(source))).toEqual([])
})
