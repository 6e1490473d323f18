import { describe, expect, it } from 'vitest'
import type { Config } from '../../src/config/schema.ts'
import type { Known } from '../../src/core/catalog.ts'
import type { Capability } from '../../src/core/operation.ts'
import type { Query } from '../../src/core/plan.ts'
import type { KnownModel } from '../../src/core/provider.ts'
import { demandOf } from '../../src/operations/choices/demand.ts'
import { parseBody } from '../../src/wire/body.ts'
import { labelsOf, planOf } from '../support/plans.ts'

const plan = (config: Config, more: Partial<Query> = {}, known: Known = new Map()) => planOf(config, more, { known })
const demand = (body: object) => demandOf(parseBody(new TextEncoder().encode(JSON.stringify(body))))
const listed = (provider: string, entry: KnownModel): Known => new Map([[provider, new Map([[entry.id, entry]])]])
const chain = (first: object = {}): Config['models'] => ({
  m: { deployments: [{ model: 'one/m', ...first }], fallbacks: ['two/m'] },
})
const needs = (...all: Capability[]): Partial<Query> => ({ needs: new Set(all) })

describe('A deployment that can’t serve the request is passed over', () => {
  it('for a context window that the configuration states', () => {
    const made = plan({ models: chain({ contextWindow: 100 }) }, { tokens: 101 })
    expect(labelsOf(made)).toEqual(['two/m'])
    expect(made.skipped).toMatchObject([{ name: 'one/m', kind: 'context_length' }])
    expect(made.failure).toMatchObject({ kind: 'context_length', status: 400, code: 'context_length_exceeded' })
    expect(made.failure?.message).toMatch(/maximum context length is 100 tokens/)
    expect(labelsOf(plan({ models: chain({ contextWindow: 100 }) }, { tokens: 100 }))).toEqual(['one/m', 'two/m'])
  })

  it('for a context window that its provider lists', () => {
    const known = listed('one', { id: 'm', contextWindow: 100 })
    expect(labelsOf(plan({ models: chain() }, { tokens: 101 }, known))).toEqual(['two/m'])
    expect(labelsOf(plan({ models: chain({ contextWindow: 200 }) }, { tokens: 101 }, known))).toEqual([
      'one/m',
      'two/m',
    ])
  })

  it.each([
    ['tools', 'tools'],
    ['vision', 'messages'],
    ['schema', 'response_format'],
  ] as const)('for want of %s, from the configuration or the list', (capability, param) => {
    const lacking = { supports: { [capability]: false } }
    for (const made of [
      plan({ models: chain(lacking) }, needs(capability)),
      plan({ models: chain() }, needs(capability), listed('one', { id: 'm', ...lacking })),
    ]) {
      expect(labelsOf(made)).toEqual(['two/m'])
      expect(made.skipped).toMatchObject([{ name: 'one/m', kind: 'incapable' }])
      expect(made.failure).toMatchObject({ status: 400, code: 'unsupported_parameter', param })
    }
    expect(labelsOf(plan({ models: chain(lacking) }))).toEqual(['one/m', 'two/m'])
    expect(labelsOf(plan({ models: chain() }, needs(capability)))).toEqual(['one/m', 'two/m'])
  })

  it('but not when the configuration knows better than the list', () => {
    const known = listed('one', { id: 'm', supports: { tools: false } })
    expect(labelsOf(plan({ models: chain({ supports: { tools: true } }) }, needs('tools'), known))).toContain('one/m')
  })

  it('for a list that names the model with its tag', () => {
    const known = listed('one', { id: 'm:latest', supports: { tools: false } })
    expect(labelsOf(plan({ models: chain() }, needs('tools'), known))).toEqual(['two/m'])
  })

  it('when its secret is not set', () => {
    const models: Config['models'] = { m: { deployments: ['keyless/m'], fallbacks: ['two/m'] } }
    const made = plan({ models })
    expect(labelsOf(made)).toEqual(['two/m'])
    expect(made.skipped).toEqual([{ name: 'keyless/m', kind: 'no_live_provider', why: 'NOT_SET_ANYWHERE is not set' }])
    expect(made.failure).toMatchObject({ kind: 'no_live_provider', status: 404, code: 'model_not_found' })
  })

  it('when its server has one model loaded and would answer to any name', () => {
    const models: Config['models'] = { m: { deployments: ['loaded/m'], fallbacks: ['two/m'] } }
    const made = plan({ models }, {}, listed('loaded', { id: 'other' }))
    expect(labelsOf(made)).toEqual(['two/m'])
    expect(made.failure).toMatchObject({ kind: 'not_found', status: 404, code: 'model_not_found' })
    expect(labelsOf(plan({ models }, {}, listed('loaded', { id: 'm' })))).toEqual(['loaded/m', 'two/m'])
  })

  it('and the rest of its group is first choice still', () => {
    const models: Config['models'] = { m: { deployments: [{ model: 'one/m', contextWindow: 5 }, 'two/m'] } }
    const made = plan({ models })
    expect(labelsOf(made)).toEqual(['two/m'])
    expect(made.failure).toBeUndefined()
    expect(made.skipped).toHaveLength(1)
  })

  it('and the client is told why when nothing is left', () => {
    const made = plan({ models: { m: { deployments: ['keyless/m'] } } })
    expect(made.targets).toEqual([])
    expect(made.failure).toMatchObject({ kind: 'no_live_provider', status: 404, code: 'model_not_found' })
    expect(made.skipped[0]?.why).toContain('NOT_SET_ANYWHERE is not set')
  })

  it('and told at once where the policy for that says error', () => {
    const models: Config['models'] = { m: { deployments: ['keyless/m'], fallbacks: ['two/m'] } }
    const made = plan({ models, missing: { no_live_provider: 'error' }, fallback: 'one/f' })
    expect(labelsOf(made)).toEqual([])
    expect(made.failure?.kind).toBe('no_live_provider')
  })
})

describe('What a request needs is read from it', () => {
  const image = { role: 'user', content: [{ type: 'image_url', image_url: { url: 'data:,' } }] }

  it.each([
    [{}, []],
    [{ tools: [] }, []],
    [{ tools: [{}] }, ['tools']],
    [{ functions: [{}] }, ['tools']],
    [{ response_format: { type: 'json_object' } }, []],
    [{ response_format: { type: 'json_schema' } }, ['schema']],
    [{ response_format: { type: 'json_object', schema: { type: 'object' } } }, ['schema']],
    [{ messages: [image] }, ['vision']],
    [{ messages: ['x', null, { content: [null] }] }, []],
  ])('%j', (body, expected) => {
    expect([...demand(body).needs]).toEqual(expected)
  })

  it('and its size is estimated low: what might fit is never turned away', () => {
    const content = 'x'.repeat(600)
    expect(demand({ messages: [{ content }] }).tokens).toBe(100)
    expect(demand({ messages: [{ content: [{ text: content }, image] }] }).tokens).toBe(100)
    expect(demand({ prompt: content, max_tokens: 50 }).tokens).toBe(100)
    expect(demand({ messages: 'x', max_completion_tokens: '7' }).tokens).toBe(0)
  })
})
