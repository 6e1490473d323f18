import { readFile, writeFile } from 'node:fs/promises'
import { registry } from '../../providers/index.ts'
import { installNode } from '../clients/install.ts'
import { exchangeServer } from '../support/exchange-server.ts'
import { perform, performDialects } from './perform.ts'
import { scriptedUpstream } from './scripted.ts'
import { loadSpecification, type Specification } from './specification.ts'
import { type Report, type Rows, tableOf, textOf, withTable } from './table.ts'
import { type Target, targetsOf } from './targets.ts'

const report = new URL('../../conformance.json', import.meta.url)
const page = new URL('../../docs/conformance.md', import.meta.url)

/**
 * Asks every route for every provider that the gateway knows, and writes what comes of it to the terminal, to
 * `conformance.json` and into docs/conformance.md. Fails if anything does. With `dialects` it asks only in the other APIs, and
 * keeps the rest of the report.
 */
async function main([only]: readonly string[]): Promise<void> {
  const began = performance.now()
  const spec = loadSpecification()
  if (!spec) console.error("OpenAI's specification is not here: formats are not checked, and nothing is written.")
  const [recorded, scripted] = await Promise.all([exchangeServer(), scriptedUpstream()])
  const targets = targetsOf(registry, { recorded: recorded.url, scripted: scripted.url }, process.env)
  const live = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => /^(LIVE_|OPENAI_API_KEY|HF_TOKEN|OLLAMA_HOST)/.test(name)),
  ) as Record<string, string>
  const found = only === 'dialects' ? await renewed(targets, live) : await all(targets, live, spec)
  await Promise.all([recorded.close(), scripted.close()])

  console.log(tableOf(found))
  const failures = failuresIn(found)
  for (const failure of failures) console.log(`\n✗ ${failure}`)
  if (spec) {
    await writeFile(report, textOf(found))
    await writeFile(page, withTable(await readFile(page, 'utf8'), tableOf(found)))
  }
  console.log(`\n${Math.round((performance.now() - began) / 1000)} s`)
  process.exitCode = failures.length === 0 ? 0 : 1
}

type Env = Readonly<Record<string, string>>

async function all(targets: readonly Target[], env: Env, spec: Specification | undefined): Promise<Report> {
  await installNode()
  return await perform(targets, env, spec)
}

async function renewed(targets: readonly Target[], env: Env): Promise<Report> {
  const [before, dialects] = await Promise.all([readFile(report, 'utf8'), performDialects(targets, env)])
  return { ...(JSON.parse(before) as Report), ...dialects }
}

function failuresIn({ routes, kinds, dialects, dialectKinds, openResponses, suites }: Report): string[] {
  const cells = [
    ...cellsIn(routes, kinds),
    ...Object.values(dialects).flatMap((routes) => cellsIn(routes, dialectKinds)),
  ]
  const acceptance = Object.entries(openResponses).flatMap(([id, row]) =>
    typeof row === 'string'
      ? []
      : Object.entries(row).map(([target, word]) => `Open Responses, ${id}, ${target}: ${word}`),
  )
  const suiteFailures = Object.entries(suites).flatMap(([suite, { failed }]) =>
    failed.map((what) => `${suite}: ${what}`),
  )
  return [...[...cells, ...acceptance].filter((cell) => /: (FAILS|untested)/.test(cell)), ...suiteFailures]
}

function cellsIn(rows: Rows, kinds: readonly string[]): string[] {
  return Object.entries(rows).flatMap(([route, targets]) =>
    Object.entries(targets).flatMap(([target, words]) =>
      words.map((word, at) => `${route}, ${target}, ${kinds[at]}: ${word}`),
    ),
  )
}

await main(process.argv.slice(2))
