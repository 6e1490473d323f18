import { readFile, writeFile } from 'node:fs/promises'
import { registry } from '../../providers/index.ts'
import { installNode } from '../clients/install.ts'
import { exchangeServer } from '../support/exchange-server.ts'
import { perform } from './perform.ts'
import { scriptedUpstream } from './scripted.ts'
import { loadSpecification } from './specification.ts'
import { type Report, tableOf, textOf, withTable } from './table.ts'
import { targetsOf } from './targets.ts'

const report = new URL('../../conformance.json', import.meta.url)
const readme = new URL('../../README.md', import.meta.url)

/**
 * Asks every route for every provider that the gateway knows, and writes what comes of it to the terminal, to
 * `conformance.json` and into the README. Fails if anything does.
 */
async function main(): Promise<void> {
  await installNode()
  const spec = loadSpecification()
  if (!spec) console.error("OpenAI's specification is not here: formats are not checked, and nothing is written.")
  const [recorded, scripted] = await Promise.all([exchangeServer(), scriptedUpstream()])
  const targets = targetsOf(registry, { recorded: recorded.url, scripted: scripted.url }, process.env)
  const live = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => /^(LIVE_|OPENAI_API_KEY|HF_TOKEN|OLLAMA_HOST)/.test(name)),
  )
  const found = await perform(targets, live as Record<string, string>, spec)
  await Promise.all([recorded.close(), scripted.close()])

  console.log(tableOf(found))
  const failures = failuresIn(found)
  for (const failure of failures) console.log(`\n✗ ${failure}`)
  if (spec) {
    await writeFile(report, textOf(found))
    await writeFile(readme, withTable(await readFile(readme, 'utf8'), tableOf(found)))
  }
  process.exitCode = failures.length === 0 ? 0 : 1
}

function failuresIn({ routes, kinds, openResponses, suites }: Report): string[] {
  const cells = Object.entries(routes).flatMap(([route, targets]) =>
    Object.entries(targets).flatMap(([target, words]) =>
      words.map((word, at) => `${route}, ${target}, ${kinds[at]}: ${word}`),
    ),
  )
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

await main()
