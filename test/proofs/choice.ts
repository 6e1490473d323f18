import { registry } from '../../providers/index.ts'
import { buildCatalog } from '../../src/config/catalog.ts'
import { type RoutingStrategy, routingStrategies } from '../../src/core/catalog.ts'
import { Draw } from '../../src/core/draw.ts'
import { HealthBook } from '../../src/core/health.ts'
import type { Query } from '../../src/core/plan.ts'
import { resolve } from '../../src/core/resolve.ts'
import { preferenceOf, type Sight } from '../../src/core/strategies.ts'

/**
 * `npm run proof:choice`: measures, in microseconds, how long it takes to choose one of a model's deployments and to
 * look its circuit breaker up, and to make the whole plan of a request. Exits with 1 if a choice by weight among 100
 * takes longer than the bound.
 */
const bound = 2
const counts = [1, 10, 100] as const
const turns = 2_000
const rounds = 60

const cooldown = {
  allowedFails: 5,
  failureRate: 0.5,
  minRequests: 20,
  window: 30_000,
  cooldownTime: 5_000,
  longest: 120_000,
}
const now = Date.now()
const clock = { now: () => now, after: () => () => {} }

function labFor(count: number, routingStrategy: RoutingStrategy) {
  const deployments = Array.from({ length: count }, (_, at) => ({
    model: `lab/model-${at}`,
    weight: 1 + (at % 5),
    rpm: 1e6,
    price: { input: at % 7, output: at % 11 },
  }))
  const config = {
    providers: { lab: { type: 'openai-compatible', baseURL: 'http://lab.test' } },
    models: { m: { deployments, routingStrategy } },
  }
  const catalog = buildCatalog(config, registry, {})
  const book = new HealthBook({ clock, random: Math.random }, cooldown)
  const group = catalog.models.get('m')
  if (!group) throw new Error('the model is configured')
  for (const { label } of group.deployments) {
    const health = book.of(label)
    health.inFlight = Math.floor(Math.random() * 10)
    health.latency.measured(Math.random() * 1000, now)
    health.use.began(now, 100)
  }
  return { catalog, book, deployments: group.deployments }
}

/** Median of the rounds. */
function timed(action: () => void): number {
  const all: number[] = []
  for (let round = 0; round < rounds; round++) {
    const from = process.hrtime.bigint()
    for (let turn = 0; turn < turns; turn++) action()
    all.push(Number(process.hrtime.bigint() - from) / turns / 1000)
  }
  return all.sort((a, b) => a - b)[rounds / 2] ?? Number.NaN
}

/** What a strategy's choice and the chosen one's breaker take; and the plan of a request. */
function measure(strategy: RoutingStrategy, count: number, session?: string): { choice: number; plan: number } {
  const { catalog, book, deployments } = labFor(count, strategy)
  const sight: Sight = { now, health: (label) => book.find(label), price: ({ known }) => known.price }
  let waited = 0
  const choice = timed(() => {
    const isPlain = strategy === 'simple-shuffle' && session === undefined
    const draw = new Draw(deployments, Math.random, isPlain ? undefined : preferenceOf(strategy, sight, session))
    waited += book.find(draw.next()?.label ?? '')?.breaker?.wait(now) ?? 1
  })
  if (waited > 0) throw new Error('a deployment has no breaker, or an open one')
  const query: Query = {
    model: 'm',
    operation: 'chat',
    path: '/chat/completions',
    needs: new Set(),
    tokens: 100,
    session,
  }
  const circumstances = { known: new Map(), random: Math.random, now, health: sight.health }
  const plan = timed(() => resolve(query, catalog, circumstances))
  return { choice, plan }
}

const columns = (what: string, figures: readonly string[]) =>
  `${what.padEnd(38)}${figures.map((figure) => figure.padStart(16)).join('')}`

console.log(
  columns(
    'µs for a choice / for a whole plan',
    counts.map((count) => `${count} deployments`),
  ),
)
for (const [what, strategy, session] of [
  ...routingStrategies.map((strategy) => [strategy, strategy, undefined] as const),
  ['sticky, of a session', 'simple-shuffle', 'a-session-of-thirty-six-characters-0'] as const,
]) {
  const all = counts.map((count) => measure(strategy, count, session))
  const figures = all.map(({ choice, plan }) => `${choice.toFixed(2)} / ${plan.toFixed(2)}`)
  const missed = strategy === 'simple-shuffle' && session === undefined && (all.at(-1)?.choice ?? 0) > bound
  if (missed) process.exitCode = 1
  console.log(`${columns(what, figures)}${missed ? `  MISSED: at most ${bound}` : ''}`)
}
