import { describe, expect, it } from 'vitest'
import { makePattern, matchPattern } from '../../src/core/patterns.ts'
import { imported, ofLitellm, ofPortkey, planFor, routeOf } from './importing.ts'

const configured = (file: string, name?: string) => imported(file, 'yaml', name).configuration
/** Names, weights and orders of a model's deployments. */
const sharesOf = (file: string, model: string, name?: string) =>
  planFor(configured(file, name), model).targets.map(({ deployment: { label, weight, order } }) => [
    label,
    weight,
    order,
  ])

describe('A configuration of LiteLLM’s', () => {
  it('shares the requests of a repeated name by weight', () => {
    const config = configured('litellm/team.yaml')
    expect(routeOf(config, 'writer', 0.74)[0]).toBe('openai writer-eu')
    expect(routeOf(config, 'writer', 0.76)[0]).toBe('openai gpt-4o')
  })

  it('tries the fallbacks in their order, a circle included, and those by the kind of failure after such a failure', () => {
    const config = configured('litellm/team.yaml')
    const whys = (model: string) =>
      planFor(config, model).targets.map(({ deployment, why }) => `${deployment.model} ${why}`)
    expect(whys('writer')).toEqual([
      'writer-eu requested',
      'gpt-4o requested',
      'claude-sonnet-4-5 fallback',
      'llama-3.1-8b-instant fallback',
      'qwen3-32b content_policy',
    ])
    expect(whys('reader')).toEqual([
      'claude-sonnet-4-5 requested',
      'writer-eu fallback',
      'gpt-4o fallback',
      'llama-3.1-8b-instant fallback',
    ])
    expect(whys('small')).toEqual([
      'llama-3.1-8b-instant requested',
      'writer-eu context_length',
      'gpt-4o context_length',
      'claude-sonnet-4-5 context_length',
    ])
  })

  it('follows default fallbacks only where a model has none of its own', () => {
    const config = configured('litellm/team.yaml')
    expect(routeOf(config, 'on-premises')).toEqual(['openai-compatible qwen3-32b', 'groq llama-3.1-8b-instant'])
    expect(config.models?.small).not.toHaveProperty('fallbacks')
  })

  it('reaches a model by its aliases', () => {
    const config = configured('litellm/team.yaml')
    expect(routeOf(config, 'gpt-4')).toEqual(routeOf(config, 'writer'))
    expect(routeOf(config, 'hidden-one')[0]).toBe('groq llama-3.1-8b-instant')
  })

  it('keeps times, retries, limits, prices and fields', () => {
    const config = configured('litellm/team.yaml')
    const [eu, us] = planFor(config, 'writer').targets
    expect(eu).toMatchObject({
      deployment: { rate: { rpm: 600, tpm: 90_000 }, defaults: { temperature: 0.2 } },
      limits: { timeout: 60_000, retries: 4 },
    })
    expect(us?.deployment).toMatchObject({
      provider: { settings: { options: { organization: 'org-team' } } },
      known: {
        price: { input: 2.5, output: 10 },
        contextWindow: 128_000,
        maxOutput: 16_384,
        supports: { vision: true },
      },
    })
    expect(planFor(config, 'reader').targets[0]).toMatchObject({
      deployment: { defaults: { thinking: { type: 'enabled', budget_tokens: 2048 } } },
      limits: { timeout: 90_000, streamTimeout: 15_000, retries: 3, dropParams: true },
    })
    expect(config).toMatchObject({
      cooldown: { allowedFails: 3, cooldownTime: 30, maxCooldownTime: 30 },
      keys: ['env:LITELLM_MASTER_KEY'],
    })
  })

  it('copies the requests of a model with a silent one', () => {
    expect(planFor(configured('litellm/team.yaml'), 'small').shadow).toEqual({ model: 'on-premises', percent: 100 })
    const entry = '{ model_name: a, litellm_params: { model: openai/x, silent_model: nowhere } }'
    expect(ofLitellm(`model_list: [${entry}]`).report).toContain('silent_model: it is no model that is carried')
  })

  it('has the words of LiteLLM’s parser: yes is true, y is not', () => {
    const text = (word: string) =>
      `model_list: [{ model_name: m, litellm_params: { model: groq/x, user: ${word} } }]\nlitellm_settings: { drop_params: yes }`
    expect(ofLitellm(text('y')).output).toMatch(/user: "?y"?\n[\s\S]*dropParams: true/)
    expect(ofLitellm(text('on')).output).not.toMatch(/user: "?on/)
  })

  it('draws by requests per minute where no deployment has a weight', () => {
    expect(sharesOf('litellm/shares.yaml', 'm')).toEqual([
      ['openai/gpt-4o', 9, 1],
      ['anthropic/claude-sonnet-4-5', 1, 1],
      ['groq/llama-3.3-70b-versatile', 0, 1],
    ])
    expect(sharesOf('litellm/shares.yaml', 'first')).toEqual([
      ['openai/gpt-4o', 1, 1],
      ['openai/gpt-4o-mini', 1, 2],
    ])
  })

  it.each([
    ['anthropic/claude-opus-4-1', 'anthropic claude-opus-4-1', {}],
    ['openai/gpt-4o', 'openai-compatible gpt-4o', { temperature: 0 }],
    ['local-llama3.2', 'ollama llama3.2', { num_ctx: 8192 }],
    ['gpt-4o', 'openai gpt-4o', {}],
    ['claude-3-haiku', 'anthropic claude-3-haiku', {}],
  ])('sends %s by its wildcards to where LiteLLM sends it', (model, route, fields) => {
    const config = configured('litellm/wildcards.yaml')
    expect(routeOf(config, model)).toEqual([route])
    expect(planFor(config, model).targets[0]?.deployment.defaults).toEqual(fields)
  })

  it.each([
    ['az-v1', 'openai gpt-5', 'https://r.openai.azure.com/openai/v1', {}],
    ['az-path', 'openai d1', 'https://r.openai.azure.com', { apiVersion: '2024-10-21' }],
    ['az-env', 'openai d2', 'https://set.example', { apiVersion: '2024-10-21' }],
    ['foundry', 'openai-compatible mistral-large', 'https://r.services.ai.azure.com/openai/v1', {}],
    ['foundry-claude', 'anthropic claude-opus-4-1', 'https://r.services.ai.azure.com/anthropic', {}],
    ['gemini', 'gemini gemini-2.5-flash', 'https://generativelanguage.googleapis.com', {}],
    ['hf-router', 'huggingface deepseek-ai/DeepSeek-V3:novita', 'https://router.huggingface.co/v1', {}],
    ['hf-endpoint', 'huggingface tgi', 'https://me.endpoints.huggingface.cloud', {}],
    ['together', 'together meta-llama/Llama-3-70b-chat-hf', 'https://api.together.xyz/v1', {}],
    ['fireworks', 'fireworks accounts/fireworks/models/kimi-k2', 'https://api.fireworks.ai/inference/v1', {}],
    ['openrouter', 'openrouter openai/gpt-4o', 'https://openrouter.ai/api/v1', {}],
    ['deepseek', 'deepseek deepseek-chat', 'https://api.deepseek.com/v1', {}],
    ['mistral', 'mistral mistral-large-latest', 'https://api.mistral.ai/v1', {}],
    ['vllm', 'vllm qwen', 'http://gpu:8000/v1', {}],
    ['lmstudio', 'lmstudio gemma', 'http://localhost:1234/v1', {}],
    ['xai', 'openai-compatible grok-4', 'https://api.x.ai/v1', {}],
    ['perplexity', 'openai-compatible sonar', 'https://api.perplexity.ai', {}],
    ['bare', 'anthropic claude-opus-4-1', 'https://set.example', {}],
    ['custom', 'openai-compatible phi', 'http://phi:9000', {}],
    ['other', 'openai-compatible my-lab/thing', 'http://lab:9000/v1', {}],
  ])('knows the provider of %s', (model, route, baseURL, options) => {
    const config = configured('litellm/providers.yaml')
    expect(routeOf(config, model)).toEqual([route])
    const { settings } = planFor(config, model).targets[0]?.deployment.provider ?? {}
    expect(settings?.baseURL).toBe(baseURL)
    expect(settings?.options).toMatchObject(options)
  })

  it('has one provider for the deployments that share an address and a key, and one for each key otherwise', () => {
    const entry = (name: string, key: string) =>
      `  - { model_name: ${name}, litellm_params: { model: openai/x, api_key: ${key} } }\n`
    const text = `model_list:\n${entry('a', 'os.environ/ONE')}${entry('b', 'os.environ/ONE')}${entry('c', '"k-literal-1"')}${entry('d', '"k-literal-2"')}${entry('e', '"k-literal-1"')}`
    const { configuration } = ofLitellm(text)
    expect(configuration.providers).toEqual({
      openai: { type: 'openai', apiKey: 'env:ONE' },
      'openai-2': { type: 'openai', apiKey: 'env:OPENAI_API_KEY' },
      'openai-3': { type: 'openai', apiKey: 'env:OPENAI_API_KEY_2' },
    })
    expect(configuration.models).toMatchObject({ a: 'openai/x', b: 'openai/x', c: 'openai-2/x', e: 'openai-2/x' })
  })
})

describe('A configuration of Portkey’s', () => {
  it('becomes one model for every name, with nested targets by weight and in their order', () => {
    expect(sharesOf('portkey/nested.json', 'anything')).toEqual([
      ['openai/gpt-4o', 0.7, 1],
      ['azure/gpt4o', 0.3, 1],
      ['anthropic/claude-sonnet-4-5', 1, 2],
      ['groq/llama-3.3-70b-versatile', 1, 3],
    ])
    const [first] = planFor(configured('portkey/nested.json'), 'anything').targets
    expect(first).toMatchObject({
      deployment: { overrides: { temperature: 0 } },
      limits: { timeout: 20_000, retries: 3 },
    })
  })

  it('has the name that it is given', () => {
    expect(routeOf(configured('portkey/camel.json', 'house'), 'house', 0.9)).toEqual([
      'openai gpt-4o-mini',
      'ollama llama3.2',
    ])
    expect(routeOf(configured('portkey/camel.json', 'house'), 'other')).toEqual([])
  })

  it('lets the request choose the model where the targets don’t', () => {
    expect(routeOf(configured('portkey/any-model.json'), 'gpt-4.1')).toEqual(['openai gpt-4.1'])
    expect(imported('portkey/any-model.json', 'yaml', 'one').report).toContain('needs a *')
  })

  it('has a model for each condition on the model, and the default for all others', () => {
    const config = configured('portkey/by-model.json')
    expect(routeOf(config, 'smart')).toEqual(['anthropic claude-opus-4-1'])
    expect(routeOf(config, 'else')).toEqual(['openai gpt-4o-mini'])
  })

  it('multiplies the shares of balanced targets inside of balanced ones', () => {
    const target = (model: string, weight: number) => ({ provider: 'groq', weight, override_params: { model } })
    const { configuration } = ofPortkey({
      strategy: { mode: 'loadbalance' },
      targets: [
        { weight: 4, strategy: { mode: 'loadbalance' }, targets: [target('a', 1), target('b', 3)] },
        target('c', 4),
      ],
    })
    const shares = planFor(configuration, 'm').targets.map(({ deployment: { model, weight } }) => [model, weight])
    expect(Object.fromEntries(shares)).toEqual({ a: 1, b: 3, c: 4 })
  })

  it('takes what a target doesn’t say from those around it', () => {
    const { configuration } = ofPortkey({
      provider: 'groq',
      api_key: 'env:GROQ_API_KEY',
      override_params: { temperature: 0, model: 'outer' },
      strategy: { mode: 'fallback' },
      targets: [{ override_params: { model: 'inner' } }, {}],
    })
    const targets = planFor(configuration, 'm').targets.map(({ deployment }) => [
      deployment.model,
      deployment.overrides,
    ])
    expect(targets).toEqual([
      ['inner', { temperature: 0 }],
      ['outer', { temperature: 0 }],
    ])
  })
})

it('The models of a request to OpenRouter are tried in their order, with its fields', () => {
  const config = configured('openrouter/models.json', 'best')
  expect(routeOf(config, 'best')).toEqual([
    'openrouter anthropic/claude-sonnet-4.5',
    'openrouter openai/gpt-4o',
    'openrouter meta-llama/llama-3.3-70b-instruct',
  ])
  expect(planFor(config, 'best').targets[0]?.deployment.defaults).toEqual({
    temperature: 0.3,
    provider: { order: ['azure'], allow_fallbacks: false },
  })
})

it('Channels of one-api serve each of their models, those of the highest priority first', () => {
  expect(sharesOf('one-api/channels.json', 'gpt-4o')).toEqual([
    ['main/gpt-4o', 1, 1],
    ['azure-eu/gpt4o-eu', 2, 2],
    ['proxy/gpt-4o', 1, 2],
  ])
  expect(routeOf(configured('one-api/channels.json'), 'gpt-4o-mini')).toEqual(['openai gpt-4o-mini'])
})

it('A pattern that is imported matches what it matched before', () => {
  for (const name of Object.keys(configured('litellm/wildcards.yaml').models ?? {})) {
    expect(matchPattern(makePattern(name), name.replace('*', 'x'))).toBe('x')
  }
})
