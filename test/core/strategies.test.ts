import { describe, expect, it } from 'vitest'
import { type Deployment, plainDeployment, type RoutingStrategy } from '../../src/core/catalog.ts'
import { Draw } from '../../src/core/draw.ts'
import { Health } from '../../src/core/health.ts'
import type { Price, Provider } from '../../src/core/provider.ts'
import { preferenceOf } from '../../src/core/strategies.ts'

const now = 1_700_000_000_000

/** What is known of one deployment. */
interface Case {
  readonly weight?: number
  readonly inFlight?: number
  /** Milliseconds, measured so many milliseconds ago. */
  readonly latency?: readonly [number, number?]
  readonly price?: Price
  /** Requests and tokens of this minute, and the limits. */
  readonly used?: { requests?: number; tokens?: number; rpm?: number; tpm?: number }
}

function healthOf({ inFlight = 0, latency, used }: Case): Health {
  const health = new Health(undefined)
  health.inFlight = inFlight
  if (latency) health.latency.measured(latency[0], now - (latency[1] ?? 0))
  for (let turn = 0; turn < (used?.requests ?? 0); turn++) health.use.began(now, 0)
  if (used?.tokens) health.use.began(now, used.tokens)
  return health
}

/** The order in which deployments named a, b, c … are drawn. */
function order(strategy: RoutingStrategy, cases: readonly Case[], random = 0, session?: string): string {
  const deployments = cases.map(({ weight = 1, price, used }, at): Deployment => {
    const plain = plainDeployment({ name: 'p' } as Provider, 'abc'[at] ?? '')
    const rate = used && { rate: { rpm: used.rpm, tpm: used.tpm } }
    return { ...plain, weight, ...rate, known: price ? { price } : {} }
  })
  const healths = new Map(deployments.map(({ label }, at) => [label, healthOf(cases[at] ?? {})]))
  const sight = { now, health: (label: string) => healths.get(label), price: ({ known }: Deployment) => known.price }
  const draw = new Draw(deployments, () => random, preferenceOf(strategy, sight, session))
  return cases.map(() => draw.next()?.model).join('')
}

describe('Deployments are tried', () => {
  it.each<[string, RoutingStrategy, readonly Case[], string]>([
    ['idle before busy', 'least-busy', [{ inFlight: 2 }, { inFlight: 0 }, { inFlight: 1 }], 'bca'],
    ['busy ones by what their weight stands for', 'least-busy', [{ inFlight: 2 }, { inFlight: 3, weight: 4 }], 'ba'],
    ['weight 0 last, however idle', 'least-busy', [{ weight: 0 }, { inFlight: 9 }], 'ba'],
    ['fast before slow', 'latency-based', [{ latency: [900] }, { latency: [100] }], 'ba'],
    ['fast but busy after slow', 'latency-based', [{ latency: [100], inFlight: 9 }, { latency: [900] }], 'ba'],
    ['never asked first', 'latency-based', [{ latency: [1] }, {}], 'ba'],
    ['asked, but yet to answer, last', 'latency-based', [{ inFlight: 1 }, { latency: [5000] }], 'ba'],
    ['slower long ago before slow now', 'latency-based', [{ latency: [500] }, { latency: [900, 30_000] }], 'ba'],
    ['weight 0 last, however fast', 'latency-based', [{ latency: [9] }, { latency: [1], weight: 0 }], 'ab'],
    ['cheap before dear', 'cost-based', [{ price: { input: 1, output: 4 } }, { price: { input: 2, output: 2 } }], 'ba'],
    ['known before unknown', 'cost-based', [{}, { price: { input: 99, output: 99 } }], 'ba'],
    ['free first', 'cost-based', [{ price: { input: 0.1, output: 0 } }, { price: { input: 0, output: 0 } }], 'ba'],
    [
      'little used before much used',
      'usage-based',
      [{ used: { requests: 5, rpm: 10 } }, { used: { requests: 40, rpm: 100 } }],
      'ba',
    ],
    [
      'by the scarcer of requests and tokens',
      'usage-based',
      [{ used: { tokens: 900, rpm: 1000, tpm: 1000 } }, { used: { requests: 5, rpm: 10 } }],
      'ba',
    ],
    ['without limits first', 'usage-based', [{ used: { requests: 1, rpm: 100 } }, {}], 'ba'],
  ])('%s (%s, %s)', (_what, strategy, cases, expected) => {
    expect(order(strategy, cases)).toBe(expected)
    expect(order(strategy, cases, 0.999)).toBe(expected)
  })

  it.each<[RoutingStrategy, readonly Case[]]>([
    ['simple-shuffle', [{ weight: 1 }, { weight: 3 }]],
    ['least-busy', [{ weight: 1 }, { weight: 3 }]],
    ['cost-based', [{ weight: 1 }, { weight: 3 }]],
    ['usage-based', [{ weight: 1 }, { weight: 3 }]],
  ])('by weight where there is no difference (%s)', (strategy, cases) => {
    expect([0.24, 0.26].map((random) => order(strategy, cases, random))).toEqual(['ab', 'ba'])
  })

  it('a session’s own first, except where another one is cheaper', () => {
    const sessions = Array.from({ length: 50 }, (_, at) => `session ${at}`)
    const firsts = (strategy: RoutingStrategy, cases: readonly Case[]) =>
      new Set(sessions.map((session) => order(strategy, cases, 0, session)[0]))
    expect(firsts('least-busy', [{ inFlight: 50 }, {}])).toEqual(new Set(['a', 'b']))
    const price = { input: 1, output: 1 }
    expect(firsts('cost-based', [{ price }, { price }, {}])).toEqual(new Set(['a', 'b']))
  })
})
