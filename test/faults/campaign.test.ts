import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { apiNames, apis } from '../proofs/faults/apis.ts'
import { campaign, sumOf } from '../proofs/faults/campaign.ts'
import { faults } from '../proofs/faults/faults.ts'
import { environment, faultsConfig, routes } from '../proofs/faults/gateways.ts'
import { clientsGone } from '../proofs/faults/gone.ts'
import { primary } from '../proofs/faults/models.ts'
import { plainPlan, plansOf } from '../proofs/faults/plan.ts'
import type { Target } from '../proofs/faults/target.ts'
import { type FaultyUpstream, faultyUpstream } from '../proofs/faults/upstream.ts'
import { isRight, nothing, type Received, verdictOf } from '../proofs/faults/verdict.ts'
import { type RunningGateway, startGateway } from '../support/gateway.ts'

const kinds = faults.map(({ when, name }) => `${when}: ${name}`).sort()
const onOpenAI = faults.filter(({ wires }) => wires?.includes('openai') ?? true)
const before = onOpenAI.filter(({ when, act }) => when === 'before' && act).map(({ name }) => `before: ${name}`)
const key = environment.SAMEWIRE_KEY

/** Seconds. Beside other tests an answer may take longer than where the campaign runs alone. */
const patient = { timeout: 6, streamTimeout: 6, idleTimeout: 5 }

let upstream: FaultyUpstream
let gateway: RunningGateway

beforeAll(async () => {
  upstream = await faultyUpstream()
  gateway = await startGateway(await faultsConfig(upstream.url, patient), { env: environment })
})

function samewire(): Target {
  return { name: 'samewire', url: gateway.baseURL.replace('/v1', ''), key, route: routes() }
}

afterAll(async () => {
  await gateway?.close()
  await upstream?.close()
})

describe('A client of a provider that fails half of the time', () => {
  it('notices no fault before the first content, is told of each after it, and never gets a cut answer as whole', async () => {
    const plans = plansOf({ requests: 2 * kinds.length, faults: 0.5, seed: 1, apis: apiNames })
    const { rows, apis, problems } = await campaign(plans, upstream, samewire())
    expect(problems).toEqual([])
    expect(apis.get('responses, direct')?.raised).toBeGreaterThan(0)
    const dialects = apiNames.filter((name) => name !== 'chat').flatMap((name) => [name, `${name}, direct`])
    expect([...apis.keys()].sort()).toEqual(['chat', ...dialects].sort())
    expect([...rows.keys()].filter((name) => name !== 'none').sort()).toEqual(kinds)
    const { silent, invented, wrong, hung } = sumOf(rows.values())
    expect([silent, invented, wrong, hung]).toEqual([0, 0, 0, 0])
  })

  it('would notice without a gateway in between', async () => {
    const plans = plansOf({ requests: 2 * onOpenAI.length, faults: 1, seed: 2, wires: ['openai'] })
    const { rows, problems } = await campaign(plans, upstream, {
      name: 'no gateway',
      url: upstream.url,
      key,
      route: () => ({ model: primary }),
      patience: 2_000,
    })
    expect(before.filter((name) => rows.get(name)?.whole !== 0)).toEqual([])
    for (const name of ['[DONE] without finish', 'n=2, the second never finishes', 'end inside an event']) {
      // On a busy machine one may be given up before its end.
      const row = rows.get(`after: ${name}`)
      expect(row).toMatchObject({ whole: 0, raised: 0 })
      expect(row?.silent).toBeGreaterThan(0)
    }
    expect(rows.get('after: stall after content')).toMatchObject({ hung: 2 })
    expect(problems.length).toBeGreaterThan(before.length)
  })
})

describe('A client that leaves', () => {
  it('stops its upstream in every phase of an answer, on every wire, and nobody else is asked', async () => {
    const rows = await clientsGone(upstream, samewire(), { times: 6, seed: 3, concurrency: 6 })
    expect(rows).toHaveLength(10)
    expect(rows.filter(({ missed, again }) => missed > 0 || again > 0)).toEqual([])
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

  const plain = { met: false, again: false }

  it.each<[string, Received]>([
    ['whole', having({})],
    ['silent', having({ texts: [words.slice(0, -1).join('')], finished: new Set() })],
    ['silent', having({ texts: [], finished: new Set() })],
    ['silent', having({ finished: new Set() })],
    ['invented', having({ texts: [words.slice(0, -1).join('')] })],
    ['undone', having({ undone: true })],
    ['raised', having({ texts: [words[0] ?? ''], raised: 'event' })],
    ['raised', having({ texts: [], raised: 'status', status: 400 })],
    ['wrong', having({ texts: [text + text] })],
    ['wrong', having({ texts: ['another'], raised: 'event' })],
    ['wrong', having({ texts: [text, 'a choice that nobody asked for'] })],
    ['hung', having({ hung: true })],
  ])('is %s', (verdict, received) => {
    expect(plan.choices).toHaveLength(1)
    expect(verdictOf(plan, received, plain)).toBe(verdict)
  })

  it('on an answer that broke off is whole only if another deployment was asked', () => {
    const broken = { ...plan, fault: faults.find(({ when }) => when === 'after') }
    const once = { met: true, again: false }
    expect(verdictOf(broken, having({}), once)).toBe('invented')
    expect(isRight(broken, 'invented', once)).toBe(false)
    const twice = { met: true, again: true }
    expect(verdictOf(broken, having({}), twice)).toBe('whole')
    expect(isRight(broken, 'whole', twice)).toBe(true)
  })

  it.each<[string, string, object?]>([
    ['whole', text, { status: 'completed' }],
    ['invented', words[0] ?? '', { status: 'completed' }],
    ['silent', words[0] ?? '', { status: 'incomplete' }],
    ['silent', text],
    ['raised', words[0] ?? '', { status: 'failed' }],
    // Its output is not what was said.
    ['wrong', words[0] ?? '', { status: 'failed', output: [] }],
  ])('on a response is %s', (verdict, delta, end) => {
    const received = nothing()
    apis.responses.take(JSON.stringify({ type: 'response.output_text.delta', delta }), received)
    const response = { output: [{ content: [{ text: delta }] }], ...end }
    if (end) apis.responses.take(JSON.stringify({ type: `response.${Object.values(end)[0]}`, response }), received)
    expect(verdictOf({ ...plan, api: 'responses' }, received, plain)).toBe(verdict)
  })

  const failed = {
    type: 'response.failed',
    response: { status: 'failed', output: [{ content: [{ text: words[0] }] }] },
  }
  const emptied = { type: 'response.failed', response: { status: 'failed', output: [] } }
  const completed = { type: 'response.completed', response: { status: 'completed', output: [{ content: [{ text }] }] } }

  it.each<[string, readonly object[]]>([
    ['raised', [{ delta: words[0] }, failed]],
    ['raised', [{ delta: words[0] }, { type: 'error', message: 'x' }, failed]],
    ['wrong', [{ delta: words[0] }, emptied]],
    ['silent', [{ delta: words[0] }, { type: 'error', message: 'x' }]],
    ['wrong', [{ delta: text }, completed, failed]],
    ['wrong', [{ delta: words[0] }, completed]],
  ])('on a response that the upstream made itself is %s', (verdict, events) => {
    const received = nothing()
    for (const event of events)
      apis.responses.take(JSON.stringify({ type: 'response.output_text.delta', ...event }), received)
    expect(verdictOf({ ...plan, api: 'responses', wire: 'responses' }, received, plain)).toBe(verdict)
  })

  it("tells the client's own errors apart", () => {
    const own = faults.find(({ name }) => name === 'content policy')
    const refused = { ...plan, fault: own }
    const once = { met: true, again: false }
    expect(verdictOf(refused, having({ texts: [], raised: 'status', status: 400 }), once)).toBe('told')
    expect(verdictOf(refused, having({ texts: [], raised: 'status', status: 502 }), once)).toBe('raised')
    expect(isRight(refused, 'whole', once)).toBe(false)
  })
})
