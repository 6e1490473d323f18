import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { registry } from '../../providers/index.ts'
import { kinds } from './cells.ts'
import { acceptanceTests, accepting } from './open-responses.ts'
import { routes } from './routes.ts'
import { type Report, tableOf, withTable } from './table.ts'
import { targetsOf } from './targets.ts'

const read = (name: string) => readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8')
const report = JSON.parse(read('conformance.json')) as Report
const old = 'is out of date: npm run conformance'

describe('The table of what works', () => {
  it('is in the README as the last run made it', () => {
    const readme = read('README.md')
    expect(withTable(readme, tableOf(report)) === readme, `the README's table ${old}`).toBe(true)
  })

  it('has every route, every provider with every server, and everything that they are asked', () => {
    const targets = targetsOf(registry, { recorded: 'http://recorded', scripted: 'http://scripted' }, {})
    expect(Object.keys(report.routes), `conformance.json ${old}`).toEqual(Object.keys(routes))
    expect(report.kinds, `conformance.json ${old}`).toEqual(kinds)
    for (const rows of Object.values(report.routes)) {
      expect(Object.keys(rows), `conformance.json ${old}`).toEqual(
        expect.arrayContaining(targets.map(({ name }) => name)),
      )
      for (const row of Object.values(rows)) expect(row.length).toBe(kinds.length)
    }
  })

  it('has every test of Open Responses, at every server that it is held against', () => {
    expect(Object.keys(report.openResponses), `conformance.json ${old}`).toEqual(Object.keys(acceptanceTests))
    for (const [id, row] of Object.entries(report.openResponses)) {
      const isAsked = !('without' in (acceptanceTests[id] ?? { without: '' }))
      expect(typeof row === 'string' ? row : Object.keys(row).sort()).toEqual(
        isAsked ? [...accepting].sort() : expect.any(String),
      )
    }
  })

  it('was checked by the specification, and by the published suites', () => {
    expect(report.specification).toMatch(/^OpenAI API \d/)
    expect(Object.keys(report.suites).sort()).toEqual(['compatcanary', 'llmprobe'])
    for (const { total } of Object.values(report.suites)) expect(total).toBeGreaterThan(0)
  })
})
