import { describe, expect, it } from 'vitest'
import type { Config } from '../../src/config/schema.ts'
import type { Known } from '../../src/core/catalog.ts'
import { HealthBook } from '../../src/core/health.ts'
import type { MinuteUse } from '../../src/core/minute-use.ts'
import type { Plan, Query } from '../../src/core/plan.ts'
import { wordsOn } from '../../src/dialects/openai/words.ts'
import type { GatewayError } from '../../src/wire/errors.ts'
import { catalogOf, labelsOf, planOf, targetsOf } from '../support/plans.ts'

const nothing: Known = new Map()

const planFor = (model: string | undefined, config: Config, known = nothing, random = 0) =>
  planOf(config, { model }, { known, random: () => random })

describe('A plan', () => {
  const catalog: Config = {
    models: {
      alias: 'one/real',
      'alias-of-alias': 'alias',
      'gpt-*': 'one/any',
      'gpt-4*': 'one/four',
      'gpt-4o': 'two/exact',
      '*-instruct': 'two/*',
      'org-*-chat': 'one/x-*-y',
      '*': { deployments: ['two/rest'] },
    },
  }

  it.each([
    ['an alias', 'alias', 'one/real'],
    ['an alias of an alias', 'alias-of-alias', 'one/real'],
    ['an exact name before every pattern', 'gpt-4o', 'two/exact'],
    ['the most specific pattern', 'gpt-4-turbo', 'one/four'],
    ['a less specific one where that does not fit', 'gpt-3.5', 'one/any'],
    ['a star that stands for nothing', 'gpt-', 'one/any'],
    ['a star at the front, filled into the target', 'llama-instruct', 'two/llama'],
    ['a star in the middle, filled into the target', 'org-big-chat', 'one/x-big-y'],
    ['a pattern that takes the rest', 'whatever', 'two/rest'],
    ['dollars in a name as they are', '$&$1-instruct', 'two/$&$1'],
    ['provider/model', 'one/llama3', 'one/llama3'],
    ['the first slash as the split', 'one/org/model', 'one/org/model'],
    ['suffixes as part of the model', 'two/org/model:cheapest', 'two/org/model:cheapest'],
    ['tags as part of the model', 'one/llama3:8b', 'one/llama3:8b'],
    ['no provider in front, so a slash as part of the name', 'org/model', 'two/rest'],
    ['nothing behind the slash as no provider', 'one/', 'two/rest'],
    ['names of objects as names', '__proto__', 'two/rest'],
  ])('takes %s', (_what, model, label) => {
    expect(targetsOf(planFor(model, catalog))).toEqual([`${label} requested`])
  })

  it('prefers provider/model to a pattern that would take it too', () => {
    expect(targetsOf(planFor('one/m', { models: { '*/*': 'two/x' } }))).toEqual(['one/m requested'])
  })

  it('lets a configured name have a slash, and come before provider/model', () => {
    expect(targetsOf(planFor('one/m', { models: { 'one/m': 'two/x' } }))).toEqual(['two/x requested'])
  })

  it('takes a bare name that a provider lists, with its tag or without', () => {
    const known: Known = new Map([['two', new Map(['llama3:latest', 'phi:2b'].map((id) => [id, { id }]))]])
    expect(targetsOf(planFor('llama3', {}, known))).toEqual(['two/llama3:latest requested'])
    expect(targetsOf(planFor('phi:2b', {}, known))).toEqual(['two/phi:2b requested'])
    expect(planFor('phi', {}, known).failure?.kind).toBe('unknown')
  })

  it('goes down the fallbacks, nested ones after their model, each once', () => {
    const models: Config['models'] = {
      a: { deployments: ['one/a'], fallbacks: ['b', 'c', 'one/z'] },
      b: { deployments: ['one/b'], fallbacks: ['d'] },
      c: { deployments: ['one/c'], fallbacks: ['d', 'b'] },
      d: 'two/d',
    }
    const expected = ['one/a requested', ...['one/b', 'two/d', 'one/c', 'one/z'].map((label) => `${label} fallback`)]
    expect(targetsOf(planFor('a', { models }))).toEqual(expected)
  })

  it('tries one deployment once, by whatever names it is reached', () => {
    const models: Config['models'] = {
      a: { deployments: ['one/x', 'one/x'], fallbacks: ['b', 'one/x'] },
      b: { deployments: ['one/x', 'two/y'] },
    }
    const plan = planFor('a', { models, fallback: 'two/y' })
    expect(labelsOf(plan)).toEqual(['one/x', 'two/y'])
    expect(plan.skipped[0]).toEqual({ name: 'one/x', kind: 'duplicate', why: 'it is in the plan already' })
  })

  it('tries a deployment again as a fallback where that asks it otherwise', () => {
    const models: Config['models'] = {
      a: { deployments: ['one/x'], fallbacks: ['b'] },
      b: { deployments: [{ model: 'one/x', overrides: { reasoning_effort: 'low' } }] },
    }
    expect(targetsOf(planFor('a', { models }))).toEqual(['one/x requested', 'one/x fallback'])
  })

  it('keeps the limits of each model on its own targets', () => {
    const models: Config['models'] = {
      a: { deployments: ['one/a'], fallbacks: ['b'], timeout: 5, retries: 0 },
      b: 'two/b',
    }
    const plan = planFor('a', { models, idleTimeout: 7 })
    expect(
      plan.targets.map(({ limits: { timeout, idleTimeout, retries } }) => [timeout, idleTimeout, retries]),
    ).toEqual([
      [5_000, 7_000, 0],
      [600_000, 7_000, 2],
    ])
  })
})

describe('Weights', () => {
  const models: Config['models'] = {
    m: {
      deployments: [
        { model: 'one/a', weight: 3 },
        { model: 'one/b', weight: 1 },
        { model: 'one/c', weight: 0 },
      ],
    },
  }

  it.each([
    [0, ['one/a', 'one/b', 'one/c']],
    [0.74, ['one/a', 'one/b', 'one/c']],
    [0.76, ['one/b', 'one/a', 'one/c']],
    [0.999, ['one/b', 'one/a', 'one/c']],
  ])('decide who is first, and in which order the others follow (%d)', (random, labels) => {
    expect(labelsOf(planFor('m', { models }, nothing, random))).toEqual(labels)
  })

  it('keep the order of the file when all are 0', () => {
    const none: Config['models'] = { m: { deployments: ['one/a', 'one/b'].map((model) => ({ model, weight: 0 })) } }
    expect(planFor('m', { models: none }, nothing, 0.9).targets).toHaveLength(2)
    expect(planFor('m', { models: none }, nothing, 0.9).targets[0]?.deployment.label).toBe('one/a')
  })
})

describe('A missing model', () => {
  it('is told in today’s words, and in those of 2023 on the old routes', () => {
    const now = planFor('nope', {}).failure
    expect(now).toMatchObject({ kind: 'unknown', status: 404, code: 'model_not_found', type: 'invalid_request_error' })
    expect(now?.message).toBe('The model `nope` does not exist or you do not have access to it.')
    expect(wordsOn('/engines/{model}/completions')(now as GatewayError)).toEqual({
      error: {
        message: 'The model: `nope` does not exist',
        type: 'invalid_request_error',
        param: null,
        code: 'model_not_found',
      },
    })
  })

  it('is absent when none is named, which is a mistake of the request and no missing route', () => {
    expect(planFor(undefined, {}).failure).toMatchObject({ kind: 'absent', status: 400, param: null, code: null })
  })

  it('is answered by the gateway’s fallback, for that reason only', () => {
    expect(targetsOf(planFor('nope', { fallback: 'one/f' }))).toEqual(['one/f missing_model'])
    expect(targetsOf(planFor(undefined, { fallback: 'one/f' }))).toEqual(['one/f missing_model'])
    expect(targetsOf(planFor('two/m', { fallback: 'one/f' }))).toEqual(['two/m requested', 'one/f missing_model'])
  })

  it.each(['absent', 'unknown'] as const)('is told where the policy for %s says so', (kind) => {
    const model = kind === 'absent' ? undefined : 'nope'
    const plan = planFor(model, { fallback: 'one/f', missing: { [kind]: 'error' } })
    expect(targetsOf(plan)).toEqual([])
    expect(plan.failure?.kind).toBe(kind)
    const other = kind === 'absent' ? 'nope' : undefined
    expect(targetsOf(planFor(other, { fallback: 'one/f', missing: { [kind]: 'error' } }))).toEqual([
      'one/f missing_model',
    ])
  })

  it('brings the fallbacks of its fallback along', () => {
    const models: Config['models'] = { f: { deployments: ['one/f'], fallbacks: ['two/g'] } }
    expect(targetsOf(planFor('nope', { models, fallback: 'f' }))).toEqual([
      'one/f missing_model',
      'two/g missing_model',
    ])
  })
})

describe('Priorities', () => {
  const models: Config['models'] = {
    m: {
      deployments: [
        { model: 'one/spare', order: 2 },
        { model: 'one/a', weight: 1 },
        { model: 'one/last', order: 3, weight: 100 },
        { model: 'one/b', weight: 3 },
      ],
    },
  }

  it.each([
    [0, ['one/a', 'one/b', 'one/spare', 'one/last']],
    [0.999, ['one/b', 'one/a', 'one/spare', 'one/last']],
  ])('come before weights (%d)', (random, labels) => {
    expect(labelsOf(planFor('m', { models }, nothing, random))).toEqual(labels)
  })

  it('leave the rest alone when a request has no attempt for them', () => {
    const plan = planFor('m', { models, maxAttempts: 3 })
    expect(labelsOf(plan)).toEqual(['one/a', 'one/b', 'one/spare'])
    expect(plan.skipped).toEqual([
      { name: 'm', kind: 'not_drawn', why: '1 of 4 deployments, since a request has 3 attempts' },
    ])
  })
})

describe('A deployment that it isn’t the turn of', () => {
  const now = 1_700_000_000_000
  const clock = { now: () => now, after: () => () => {} }
  const models: Config['models'] = {
    m: {
      deployments: [
        { model: 'one/a', weight: 9 },
        { model: 'one/limited', weight: 3, rpm: 2, tpm: 1000 },
        { model: 'one/b', weight: 1 },
      ],
      fallbacks: ['two/f'],
      contextWindowFallbacks: ['two/long'],
    },
  }

  /** The plan for `m` after `happened`. */
  function planAfter(happened: (book: HealthBook) => void, config: Config = { models }, model = 'm'): Plan {
    const book = new HealthBook({ clock, random: () => 0.5 }, catalogOf(config).resilience.cooldown)
    happened(book)
    return planOf(config, { model }, { now, health: (label) => book.find(label) })
  }
  const fail =
    (...labels: string[]) =>
    (book: HealthBook) => {
      for (const label of labels) book.of(label).breaker?.failed(now, 'limited')
    }

  it('after failures comes behind the fallbacks, and before those for one kind of failure', () => {
    const plan = planAfter(fail('one/a'))
    expect(targetsOf(plan)).toEqual([
      'one/limited requested',
      'one/b requested',
      'two/f fallback',
      'one/a requested',
      'two/long context_length',
    ])
    expect(plan.skipped).toEqual([
      { name: 'one/a', kind: 'cooldown', why: 'it is in cooldown after failures, for 5 s at most' },
    ])
    expect(plan.failure).toBeUndefined()
  })

  it.each([
    [
      'over_rpm',
      'it has been asked for its 2 rpm of this minute',
      (use: MinuteUse) => [1, 2].map(() => use.began(now, 1)),
    ],
    ['over_tpm', 'it has been asked for its 1000 tpm of this minute', (use: MinuteUse) => use.began(now, 991)],
  ])('because it is %s comes behind the fallbacks, and before those in cooldown', (kind, why, used) => {
    const plan = planAfter((book) => {
      used(book.of('one/limited').use)
      fail('one/b')(book)
    })
    expect(targetsOf(plan).slice(0, 4)).toEqual([
      'one/a requested',
      'two/f fallback',
      'one/limited requested',
      'one/b requested',
    ])
    expect(plan.skipped).toContainEqual({ name: 'one/limited', kind, why })
  })

  it('is asked all the same if all are', () => {
    const plan = planAfter(fail('one/a', 'one/limited', 'one/b', 'two/f', 'two/long'))
    expect(targetsOf(plan)).toHaveLength(5)
    expect(plan.failure).toBeUndefined()
  })

  it('takes no place from one that can be tried', () => {
    const plan = planAfter(fail('one/a', 'one/limited'), { models, maxAttempts: 1 })
    expect(targetsOf(plan)[0]).toBe('one/b requested')
  })

  it('of the gateway’s fallback comes behind what that has left', () => {
    const config: Config = { models: { f: { deployments: ['one/a', 'one/b'] } }, fallback: 'f' }
    expect(targetsOf(planAfter(fail('one/a'), config, 'nope'))).toEqual(['one/b missing_model', 'one/a missing_model'])
  })
})

describe('Requests of one session', () => {
  const deployments = Array.from({ length: 8 }, (_, at) => `one/m${at}`)
  const firsts = (more: Partial<Query>, settings: Config = {}) => {
    const config = { models: { m: { deployments } }, ...settings }
    const plans = [0, 0.3, 0.6, 0.9].map((random) => planOf(config, more, { random: () => random }))
    return new Set(plans.map((plan) => labelsOf(plan)[0])).size
  }

  it.each<[string, Partial<Query>, Config, number]>([
    ['which is named', { session: 's' }, {}, 1],
    ['with an empty name are of none', { session: '' }, {}, 4],
    ['where the configuration wants none', { session: 's' }, { sticky: false }, 4],
    ['which is a user’s where the configuration says so', { user: 'u' }, { sticky: true }, 1],
    ['but not of one user otherwise', { user: 'u' }, {}, 4],
  ])('%s', (_what, more, settings, different) => {
    expect(firsts(more, settings)).toBe(different)
  })
})
