import type { Gateway, Plan } from '../asking.ts'
import { type Cell, type Got, together } from '../cells.ts'
import { type Report, wordOf } from '../table.ts'
import type { Target } from '../targets.ts'
import { clientKey, type Dialect, type DialectAsk, dialectKinds } from './dialect.ts'
import { dialects } from './index.ts'
import { judgeInDialect } from './judge.ts'

/** A request with the model that leads to the upstream's answer. */
interface Planned {
  readonly ask: DialectAsk
  readonly model: string
  /** The last body that the upstream got, where it is watched. */
  readonly seen: (() => Promise<string>) | undefined
}

/** A row to be: the requests on which each cell depends, by kind; undefined where the route has no such thing. */
export interface OpenRow {
  readonly dialect: Dialect
  readonly route: string
  readonly target: string
  readonly cells: readonly (readonly Planned[] | undefined)[]
}

export function planDialects(plan: Plan, targets: readonly Target[]): readonly OpenRow[] {
  return dialects.flatMap((dialect) =>
    Object.entries(dialect.routes).flatMap(([route, cases]) =>
      targets.map((target) => ({
        ...{ dialect, route, target: target.name },
        cells: dialectKinds.map((kind) => cases[kind]?.(target)?.map((ask) => planned(plan, target, ask))),
      })),
    ),
  )
}

function planned(plan: Plan, target: Target, ask: DialectAsk): Planned {
  const watch = ask.reaches === undefined ? undefined : target.watch?.(ask.upstream)
  const model = plan.modelFor(target, ask, watch?.provider)
  return { ask, model, seen: watch?.seen }
}

/** How many targets are asked at the same time. */
const atOnce = 3

export async function fillDialects(rows: readonly OpenRow[], gateway: Gateway): Promise<Report['dialects']> {
  const targets = [...new Set(rows.map(({ target }) => target))]
  // Who says what its models can do has said it then, so that the same words refuse in each run.
  await fetch(`${gateway.baseURL}/models`, { headers: { authorization: `Bearer ${clientKey}` } })
  const filled = new Map<OpenRow, readonly string[]>()
  // What one target is asked comes one after the other: its watch tells of the last.
  const fill = async () => {
    for (let target = targets.shift(); target !== undefined; target = targets.shift()) {
      for (const row of rows) if (row.target === target) filled.set(row, await fillRow(row, gateway))
    }
  }
  await Promise.all(Array.from({ length: atOnce }, fill))
  const table: Record<string, Record<string, Record<string, readonly string[]>>> = {}
  for (const row of rows) {
    const { dialect, route, target } = row
    const routes = table[dialect.name] ?? {}
    table[dialect.name] = { ...routes, [route]: { ...routes[route], [target]: filled.get(row) ?? [] } }
  }
  return table
}

/** What comes of it on Node where a Worker does the same, which lacks some of the targets. */
export function agreed(onNode: Report['dialects'], inWorkers: Report['dialects']): Report['dialects'] {
  const wordOfCell = (word: string) => word.replace(/:.*$/s, '')
  const entries = Object.entries(onNode).map(([name, rows]) => {
    const its = Object.entries(rows).map(([route, targets]) => {
      const cells = Object.entries(targets).map(([target, words]) => {
        const others = inWorkers[name]?.[route]?.[target]
        const both = words.map((word, at) => {
          const other = others?.[at] ?? word
          return wordOfCell(word) === wordOfCell(other) ? word : `FAILS: ${word} on Node, in a Worker ${other}`
        })
        return [target, both]
      })
      return [route, Object.fromEntries(cells)]
    })
    return [name, Object.fromEntries(its)]
  })
  return Object.fromEntries(entries)
}

async function fillRow({ dialect, cells }: OpenRow, gateway: Gateway): Promise<readonly string[]> {
  const row: Cell[] = []
  for (const some of cells) {
    // What is not there has no failures of its upstream to tell of.
    const isThere = row[0]?.word !== 'not served'
    row.push(!some ? { word: 'none' } : isThere ? await cellOf(dialect, some, gateway) : { word: 'not served' })
  }
  return row.map(wordOf)
}

async function cellOf(dialect: Dialect, some: readonly Planned[], { baseURL }: Gateway): Promise<Cell> {
  const cells: Cell[] = []
  for (const { ask, model, seen } of some) {
    const got = await send(baseURL, dialect, ask, model)
    const cell = judgeInDialect(dialect, ask, got, model)
    const reached = cell.word === 'works' && seen ? (await seen()).includes(ask.reaches ?? '') : true
    cells.push(reached ? cell : { word: 'FAILS', why: `${ask.about}: ${ask.reaches} does not reach the upstream` })
  }
  return together(cells)
}

/** `baseURL`: with `/v1`. */
async function send(baseURL: string, dialect: Dialect, ask: DialectAsk, model: string): Promise<Got> {
  const { path, body, keyless, modelless } = ask
  const named = !modelless && !path.includes('{model}')
  const text = typeof body === 'object' ? JSON.stringify({ ...(named && { model }), ...body }) : body
  const response = await fetch(baseURL.replace(/\/v1$/, '') + path.replace('{model}', model), {
    method: body === undefined ? 'GET' : 'POST',
    headers: { ...dialect.headers, ...(!keyless && dialect.key), 'content-type': 'application/json' },
    ...(text !== undefined && { body: text }),
  })
  const { status, headers } = response
  const streamed = /event-stream|ndjson/.test(headers.get('content-type') ?? '')
  return { status, headers, streamed, text: await response.text() }
}
