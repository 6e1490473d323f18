import { existsSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { partWordings } from '../../src/core/part-wordings.ts'
import { wordings } from '../../src/core/wordings.ts'

const root = new URL('../../', import.meta.url)
const rows = ['wordings', 'part-wordings']
  .flatMap((name) => readFileSync(new URL(`src/core/${name}.ts`, root), 'utf8').split('\n'))
  .filter((line) => /^ {2}\{ (kind|part): /.test(line))

/** For words that were reported, and for which no public place was found. */
const unseen = 'reported, source not found'

function isSource(said: string): boolean {
  if (said.startsWith('test/fixtures/')) return existsSync(new URL(said, root))
  if (said.startsWith('https://')) return URL.canParse(said)
  return said === 'OpenAI’s API reference' || said === unseen || /^[\w.-]+\/[\w.-]+(?:#\d+| [\w./-]+)$/.test(said)
}

it('Every row of the table of wordings is told from its text', () => {
  expect(rows).toHaveLength(wordings.length + partWordings.length)
})

it.each(rows)('A wording names who says it and where that was found: %s', (row) => {
  const [, servers, sources] = /\}, \/\/ ([^:]+): (.+)$/.exec(row) ?? []
  expect(servers).toBeTruthy()
  expect(sources?.split(/, (?!source not)/).filter((source) => !isSource(source))).toEqual([])
})
