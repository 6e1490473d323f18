import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { registry } from '../../providers/index.ts'
import { dialects } from '../../src/dialects/index.ts'
import { kinds } from './cells.ts'
import { dialectKinds } from './dialects/dialect.ts'
import { dialects as apis, unasked } from './dialects/index.ts'
import { acceptanceTests, accepting } from './open-responses.ts'
import { routes } from './routes.ts'
import { type Report, tableOf, withTable } from './table.ts'
import { targetsOf } from './targets.ts'

const read = (name: string) => readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8')
const report = JSON.parse(read('conformance.json')) as Report
const old = 'is out of date: npm run conformance'
const targets = targetsOf(registry, { recorded: 'http://recorded', scripted: 'http://scripted' }, {})

describe('The table of what works', () => {
  it('is in docs/conformance.md as the last run made it', () => {
    const page = read('docs/conformance.md')
    expect(withTable(page, tableOf(report)) === page, `the page's table ${old}`).toBe(true)
  })

  it('has every route, every provider with every server, and everything that they are asked', () => {
    expect(Object.keys(report.routes), `conformance.json ${old}`).toEqual(Object.keys(routes))
    expect(report.kinds, `conformance.json ${old}`).toEqual(kinds)
    for (const rows of Object.values(report.routes)) {
      expect(Object.keys(rows), `conformance.json ${old}`).toEqual(
        expect.arrayContaining(targets.map(({ name }) => name)),
      )
      for (const row of Object.values(rows)) expect(row.length).toBe(kinds.length)
    }
  })

  it('has every route of every other API, every provider, and everything that they are asked', () => {
    expect(Object.keys(report.dialects), `conformance.json ${old}`).toEqual(apis.map(({ name }) => name))
    expect(report.dialectKinds, `conformance.json ${old}`).toEqual(dialectKinds)
    for (const { name, routes } of apis) {
      const rows = report.dialects[name] ?? {}
      expect(Object.keys(rows), `conformance.json ${old}`).toEqual(Object.keys(routes))
      for (const row of Object.values(rows)) {
        expect(Object.keys(row), `conformance.json ${old}`).toEqual(
          expect.arrayContaining(targets.map(({ name }) => name)),
        )
        for (const cells of Object.values(row)) expect(cells.length).toBe(dialectKinds.length)
      }
    }
  })

  it('leaves out no route of another API without saying why', () => {
    const served = dialects.flatMap(({ routes }) => routes.map(({ path }) => path))
    const asked = new Set([...apis.flatMap(({ routes }) => Object.keys(routes)), ...Object.keys(unasked)])
    // OpenAI's own are in the other table; of Gemini's versions and ways to ask, one stands for all.
    const own = served.filter(
      (path) => /^\/(api|v1beta|messages)/.test(path) && !path.endsWith(':streamGenerateContent'),
    )
    expect(own.length).toBeGreaterThan(20)
    expect(own.filter((path) => !asked.has(path) && !asked.has(`/v1${path}`))).toEqual([])
  })

  it('has no failure', () => {
    const words = [report.routes, ...Object.values(report.dialects)].flatMap((rows) =>
      Object.values(rows).flatMap((row) => Object.values(row).flat()),
    )
    expect(words.filter((word) => /^(FAILS|untested)/.test(word))).toEqual([])
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
