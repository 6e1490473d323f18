import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Deployment, plainDeployment } from '../../src/core/catalog.ts'
import { Draw, type Preference } from '../../src/core/draw.ts'
import type { Provider } from '../../src/core/provider.ts'
import { rendezvous } from '../../src/core/rendezvous.ts'

const provider = { name: 'p' } as Provider
const deployed = (weights: readonly number[]): Deployment[] =>
  weights.map((weight, at) => ({ ...plainDeployment(provider, `m${at}`), weight }))

/** Reproducible, and good enough to count with. */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

function drawAll(deployments: readonly Deployment[], random: () => number, preference?: Preference): Deployment[] {
  const draw = new Draw(deployments, random, preference)
  return Array.from({ length: deployments.length }, () => draw.next() as Deployment)
}

const weights = fc.array(fc.oneof(fc.constant(0), fc.double({ min: 0.001, max: 1e6, noNaN: true })), {
  minLength: 1,
  maxLength: 40,
})
const seed = fc.integer({ min: 0, max: 2 ** 32 - 1 })
const preferences: ((at: (deployment: Deployment) => number) => Preference)[] = [
  () => ({}),
  (score) => ({ score }),
  (cost) => ({ cost }),
  (rank) => ({ rank }),
  (score) => ({ score, rank: rendezvous('key') }),
]
const numberOf = ({ model }: Deployment) => (Number(model.slice(1)) * 7) % 5

describe('Drawing deployments', () => {
  it('brings each one once and then none, with those of weight 0 last, whatever is preferred', () => {
    fc.assert(
      fc.property(weights, seed, fc.constantFrom(...preferences), (all, start, prefer) => {
        const deployments = deployed(all)
        const draw = new Draw(deployments, randomFrom(start), prefer(numberOf))
        const drawn = deployments.map(() => draw.next())
        expect(new Set(drawn)).toEqual(new Set(deployments))
        expect(draw.next()).toBeUndefined()
        const idle = drawn.map((deployment) => deployment?.weight === 0)
        expect(idle).toEqual([...idle].sort((a, b) => Number(a) - Number(b)))
      }),
    )
  })

  it('keeps to the order of the scores', () => {
    fc.assert(
      fc.property(weights, seed, (all, start) => {
        const scores = drawAll(deployed(all), randomFrom(start), { score: numberOf })
          .filter(({ weight }) => weight > 0)
          .map(numberOf)
        expect(scores).toEqual([...scores].sort((a, b) => a - b))
      }),
    )
  })

  it.each([
    ['the first', 0, (weight: number) => weight / 10],
    // After each of the others, its share of what they leave.
    [
      'the second',
      1,
      (weight: number) =>
        [1, 2, 3, 4].reduce((sum, first) => (first === weight ? sum : sum + (first / 10) * (weight / (10 - first))), 0),
    ],
  ])('shares %s by weight', (_what, position, share) => {
    const random = randomFrom(7)
    const deployments = deployed([1, 2, 3, 4])
    const counts = new Map(deployments.map((deployment) => [deployment, 0]))
    const turns = 40_000
    for (let turn = 0; turn < turns; turn++) {
      const deployment = drawAll(deployments, random)[position] as Deployment
      counts.set(deployment, (counts.get(deployment) ?? 0) + 1)
    }
    for (const [{ weight }, count] of counts) expect(Math.abs(count / turns - share(weight))).toBeLessThan(0.01)
  })

  it('takes the cheaper of two, so that the dearest of all is never first', () => {
    const cost = ({ model }: Deployment) => Number(model.slice(1))
    const random = randomFrom(3)
    const first = Array.from({ length: 2000 }, () => drawAll(deployed([1, 1, 1]), random, { cost })[0]?.model)
    const share = (model: string) => first.filter((name) => name === model).length / first.length
    expect(first).not.toContain('m2')
    // One of three pairs lacks the cheapest.
    expect(Math.abs(share('m0') - 2 / 3)).toBeLessThan(0.04)
  })
})

describe('A session’s deployment', () => {
  const chosen = (deployments: readonly Deployment[], key: string) =>
    drawAll(deployments, () => 0, { rank: rendezvous(key) }).map(({ label }) => label)

  it('is the same each time, and changes only for the sessions of a deployment that drops out', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 2, maxLength: 20 }),
        fc.string(),
        fc.nat(),
        (all, key, gone) => {
          const deployments = deployed(all)
          const before = chosen(deployments, key)
          const lost = deployments[gone % deployments.length] as Deployment
          const after = chosen(
            deployments.filter((deployment) => deployment !== lost),
            key,
          )
          expect(chosen([...deployments].reverse(), key)).toEqual(before)
          expect(after).toEqual(before.filter((label) => label !== lost.label))
        },
      ),
    )
  })

  it('is shared out by weight', () => {
    const deployments = deployed([1, 2, 3, 4])
    const keys = Array.from({ length: 20_000 }, (_, at) => `session-${at}`)
    const first = keys.map((key) => chosen(deployments, key)[0])
    for (const { label, weight } of deployments) {
      const share = first.filter((name) => name === label).length / keys.length
      expect(Math.abs(share - weight / 10)).toBeLessThan(0.015)
    }
  })
})
