import { readFile } from 'node:fs/promises'
import { expect, it } from 'vitest'
import type { KeptFigures } from '../../src/observe/metrics/kept.ts'
import { keptInMemory } from '../support/accounting.ts'
import { ask, chat } from '../support/ask.ts'
import { gatewayStarter, serveUpstreams } from '../support/gateway.ts'
import { chatAnswer, json } from '../support/upstream.ts'
import { runScript, startCounted } from './metrics.ts'
import { parseMetrics } from './prometheus.ts'

const { up, spare } = serveUpstreams({ up: json(200, chatAnswer('hello')), spare: json(200, chatAnswer('spare')) })
const serve = gatewayStarter()

interface Dashboard {
  readonly panels: readonly { readonly title: string; readonly targets?: readonly { readonly expr: string }[] }[]
  readonly templating: { readonly list: readonly { readonly name: string; readonly definition?: string }[] }
}

/** What an expression asks for: words that are neither functions, keywords, labels nor texts. */
function namesIn(expr: string): { readonly metrics: string[]; readonly labels: string[] } {
  const bare = expr.replace(/"[^"]*"/g, '""')
  const inBraces = [...bare.matchAll(/\{([^}]*)\}/g)].flatMap(([, inner = '']) => inner.match(/\w+(?=\s*[=!])/g) ?? [])
  const by = [...bare.matchAll(/\b(?:by|without)\s*\(([^)]*)\)/g)].flatMap(
    ([, inner = '']) => inner.match(/\w+/g) ?? [],
  )
  const rest = bare
    .replace(/\{[^}]*\}|\[[^\]]*\]|\b(?:by|without)\s*\([^)]*\)/g, ' ')
    .replace(/[a-zA-Z_]\w*\s*(?=\()/g, ' ')
  return {
    metrics: rest.match(/[a-zA-Z_:][\w:]*/g)?.filter((word) => !keywords.has(word)) ?? [],
    labels: [...inBraces, ...by],
  }
}

/** Of a process that keeps something. */
const keptFigures: KeptFigures = {
  rows: () => ({ written: 1, dropped: 0, waiting: 0 }),
  lost: () => 0,
  budgets: async () => [
    { of: 'key', name: 'ada', limit: 2, left: 1 },
    { of: 'project', name: 'web', limit: 2, left: 1 },
  ],
}

const keywords: ReadonlySet<string> = new Set(['sum', 'max', 'by', 'and', 'or'])

it('asks for metrics and labels only that the gateway has', async () => {
  const file = new URL('../../grafana/samewire.json', import.meta.url)
  const { panels, templating } = JSON.parse(await readFile(file, 'utf8')) as Dashboard
  const { accounting, put } = await keptInMemory()
  put('sk-sw-slow', { limits: { rpm: 1 } })
  const policies = { retries: 1, cooldown: { allowedFails: 100 } }
  const counted = await startCounted(serve, { up, spare }, { kept: () => keptFigures }, policies, { accounting })
  await runScript(counted, up, spare)
  for (let n = 0; n < 2; n++) await ask(counted.gateway, chat('m'), { headers: { authorization: 'Bearer sk-sw-slow' } })
  const samples = [...parseMetrics(await counted.scrape()).values()].flatMap((family) => family.samples)
  const labelsOf = new Map<string, Set<string>>()
  for (const { name, labels } of samples) {
    const known = labelsOf.get(name) ?? new Set()
    for (const label of Object.keys(labels)) known.add(label)
    labelsOf.set(name, known)
  }
  const all = panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => ({ title, expr })))
  const own = all.filter(({ expr }) => !expr.includes('vllm:'))
  expect(own.length).toBeGreaterThan(31)
  for (const { title, expr } of own) {
    const { metrics, labels } = namesIn(expr)
    expect(metrics.length, `${title}: ${expr}`).toBeGreaterThan(0)
    for (const metric of metrics) {
      expect([...labelsOf.keys()], title).toContain(metric)
      for (const label of labels) expect([...(labelsOf.get(metric) ?? [])], `${title}: ${metric}`).toContain(label)
    }
  }
  expect(templating.list.map(({ name }) => name)).toEqual(['datasource', 'model'])
})
