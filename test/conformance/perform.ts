import type { Config } from '../../src/config/schema.ts'
import { type Gateway, Plan, type Planned, send, startGateway, startWorker } from './asking.ts'
import { cases } from './cases/index.ts'
import { type Ask, type Cell, type Kind, kinds, together } from './cells.ts'
import { clientKey, dialectKinds } from './dialects/dialect.ts'
import { agreed, fillDialects, planDialects } from './dialects/perform.ts'
import { judge, type Route } from './judge.ts'
import { type AcceptanceTest, acceptanceTests, accepting } from './open-responses.ts'
import { routes } from './routes.ts'
import type { Specification } from './specification.ts'
import { runSuites } from './suites.ts'
import { type Report, wordOf } from './table.ts'
import type { Target } from './targets.ts'

/** A row to be: the requests on which each cell depends, by kind; undefined where the route has no such thing. */
interface Open {
  readonly route: string
  readonly target: string
  readonly cells: readonly (readonly Planned[] | undefined)[]
}

type Env = Readonly<Record<string, string>>

/** Asks everything on every route of every target, through one gateway. */
export async function perform(targets: readonly Target[], env: Env, spec: Specification | undefined): Promise<Report> {
  const plan = new Plan()
  const open = Object.entries(routes).flatMap(([name, route]) =>
    targets.map((target) => ({
      route: name,
      target: target.name,
      cells: kinds.map((kind) => requestsOf(plan, name, route, target, kind)),
    })),
  )
  const acceptance = acceptanceOf(plan, targets)
  const embedded = targets
    .filter(({ server }) => server === 'embedded')
    .map((target) => plan.add(target, any, anywhere))
  const gateway = await startGateway(plan.config, env)
  try {
    const [rows, openResponses, suites] = await Promise.all([
      fill(open, gateway, spec),
      accept(acceptance, gateway, spec),
      embedded[0] ? runSuites(gateway.baseURL, embedded[0].model) : {},
    ])
    // Afterwards: the suites have a limit of time.
    const others = await performDialects(targets, env)
    return { specification: spec?.name ?? null, kinds, routes: rows, ...others, openResponses, suites }
  } finally {
    await gateway.close()
  }
}

/** Asks all of it in the other APIs, through gateways of their own: on Node, and then as Workers, where it must be the same. */
export async function performDialects(
  targets: readonly Target[],
  env: Env,
): Promise<Pick<Report, 'dialectKinds' | 'dialects'>> {
  const more = { ...env, SAMEWIRE_KEY: clientKey }
  const onNode = await filled(targets, (config) => startGateway(config, more))
  // Nothing runs a model in a Worker.
  const elsewhere = targets.filter(({ server }) => server !== 'embedded')
  const inWorkers = await filled(elsewhere, (config) => startWorker('conformance', config, more))
  return { dialectKinds, dialects: agreed(onNode, inWorkers) }
}

type Start = (config: Config) => Promise<Gateway>

async function filled(targets: readonly Target[], start: Start): Promise<Report['dialects']> {
  const plan = new Plan()
  const rows = planDialects(plan, targets)
  const gateway = await start(plan.config)
  try {
    return await fillDialects(rows, gateway)
  } finally {
    await gateway.close()
  }
}

const any: Ask = { about: '', upstream: 'chat' }
const anywhere: Route = { method: 'get', path: '' }

function requestsOf(plan: Plan, name: string, route: Route, target: Target, kind: Kind) {
  const known = cases[name]
  // An operation without cases is a row of failures, for all kinds: nobody has said which are none of its matter.
  if (!known) return []
  return known[kind]?.(target)?.map((ask) => plan.add(target, ask, route))
}

/** One test of Open Responses at one server. */
type Trial = (gateway: Gateway, spec?: Specification) => Promise<Cell>

/** The tests of Open Responses, by their names and the servers that they are held against, or why one is left out. */
type Acceptance = Readonly<Record<string, string | Readonly<Record<string, Trial>>>>

const responses = routes.responses ?? anywhere

function acceptanceOf(plan: Plan, targets: readonly Target[]): Acceptance {
  const chosen = targets.filter(({ name }) => accepting.includes(name))
  const entries = Object.entries(acceptanceTests).map(([id, test]) => {
    if ('without' in test) return [id, test.without] as const
    return [id, Object.fromEntries(chosen.map((target) => [target.name, trialOf(test, plan, target)]))] as const
  })
  return Object.fromEntries(entries)
}

function trialOf(test: Exclude<AcceptanceTest, { without: string }>, plan: Plan, target: Target): Trial {
  if ('ask' in test) {
    const planned = plan.add(target, test.ask(target), responses)
    return (gateway, spec) => cellOf([planned], gateway, spec)
  }
  const modelFor = (upstream: string) => plan.add(target, { about: '', upstream }, responses).model
  const models = { streaming: modelFor('chat_stream'), whole: modelFor('chat') }
  return async ({ baseURL }, spec) => {
    const check = spec?.answer(responses.method, responses.path, true)
    const why = await test.talk({ baseURL, ...models, ...(check && { check }) })
    return why === undefined ? { word: 'works' } : { word: 'FAILS', why }
  }
}

async function accept(
  acceptance: Acceptance,
  gateway: Gateway,
  spec?: Specification,
): Promise<Report['openResponses']> {
  const table: Record<string, string | Record<string, string>> = {}
  for (const [id, trials] of Object.entries(acceptance)) {
    if (typeof trials === 'string') table[id] = trials
    else {
      const row: Record<string, string> = {}
      for (const [target, trial] of Object.entries(trials)) row[target] = wordOf(await trial(gateway, spec))
      table[id] = row
    }
  }
  return table
}

async function fill(open: readonly Open[], gateway: Gateway, spec?: Specification): Promise<Report['routes']> {
  const table: Record<string, Record<string, readonly string[]>> = {}
  for (const { route, target, cells } of open) {
    const row: Cell[] = []
    for (const planned of cells) {
      // What is not there has no failures of its upstream to tell of.
      const isThere = row[0]?.word !== 'not served'
      const ask = async (some: readonly Planned[]) => (isThere ? await cellOf(some, gateway, spec) : notServed)
      row.push(planned ? await ask(planned) : { word: 'none' })
    }
    table[route] = { ...table[route], [target]: row.map(wordOf) }
  }
  return table
}

const notServed: Cell = { word: 'not served' }

async function cellOf(planned: readonly Planned[], { baseURL }: Gateway, spec?: Specification): Promise<Cell> {
  const cells: Cell[] = []
  for (const one of planned) cells.push(judge(one.ask, await send(baseURL, one), one.route, spec))
  return together(cells)
}
