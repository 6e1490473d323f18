import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { campaign } from '../proofs/faults/campaign.ts'
import { faults } from '../proofs/faults/faults.ts'
import { checked, faultsConfig } from '../proofs/faults/gateways.ts'
import { plainPlan, plansOf } from '../proofs/faults/plan.ts'
import { type FaultyUpstream, faultyUpstream, primary } from '../proofs/faults/upstream.ts'
import { nothing, type Received, verdictOf } from '../proofs/faults/verdict.ts'
import { type RunningGateway, startGateway } from '../support/gateway.ts'

const kinds = faults.map(({ when, name }) => `${when}: ${name}`).sort()
const before = faults.filter(({ when, act }) => when === 'before' && act).map(({ name }) => `before: ${name}`)
const key = 'sk-campaign'

let upstream: FaultyUpstream
let gateway: RunningGateway

beforeAll(async () => {
  upstream = await faultyUpstream()
  gateway = await startGateway(await faultsConfig(upstream.url), { env: { UP_KEY: 'sk-up' } })
})

afterAll(async () => {
  await gateway?.close()
  await upstream?.close()
})

describe('A client of a provider that fails half of the time', () => {
  it('notices no fault before the first content, is told of each after it, and never gets a cut answer as whole', async () => {
    const plans = plansOf({ requests: 200, faults: 0.5, seed: 1 })
    const { rows, problems } = await campaign(plans, upstream, { port: gateway.port, key, models: checked })
    expect(problems).toEqual([])
    expect([...rows.keys()].filter((name) => name !== 'none').sort()).toEqual(kinds)
    expect([...rows.values()].reduce((sum, { silent, other }) => sum + silent + other, 0)).toBe(0)
  })

  it('would notice without a gateway in between', async () => {
    const plans = plansOf({ requests: 2 * kinds.length, faults: 1, seed: 2 })
    const { rows, problems } = await campaign(plans, upstream, {
      port: Number(new URL(upstream.url).port),
      key,
      models: { listening: primary, refusing: primary },
      patience: 1_000,
    })
    expect(before.filter((name) => rows.get(name)?.invisible !== 0)).toEqual([])
    for (const name of ['[DONE] without finish', 'n=2, the second never finishes', 'end inside an event']) {
      expect(rows.get(`after: ${name}`)).toMatchObject({ invisible: 0, raised: 0, silent: 2 })
    }
    expect(rows.get('after: hang after content')).toMatchObject({ other: 2 })
    expect(problems.length).toBeGreaterThan(before.length)
  })
})

describe('The verdict on an answer', () => {
  const plan = plainPlan(7, true)
  const [words = []] = plan.choices
  const text = words.join('')
  const having = (more: Partial<Received>): Received => ({
    ...nothing(),
    texts: [text],
    finished: new Set([0]),
    ...more,
  })

  it.each<[string, Received]>([
    ['whole', having({})],
    ['silent', having({ texts: [words.slice(0, -1).join('')] })],
    ['silent', having({ texts: [] })],
    ['silent', having({ finished: new Set() })],
    ['undone', having({ undone: true })],
    ['raised', having({ texts: [words[0] ?? ''], raised: 'event' })],
    ['wrong', having({ texts: [text + text] })],
    ['wrong', having({ texts: ['another'], raised: 'event' })],
    ['wrong', having({ texts: [text, 'a choice that nobody asked for'] })],
    ['hung', having({ hung: true })],
  ])('is %s', (verdict, received) => {
    expect(plan.choices).toHaveLength(1)
    expect(verdictOf(plan, received)).toBe(verdict)
  })
})
