import { describe, expect, it } from 'vitest'
import { registry } from '../../providers/index.ts'
import { autoConfig, type Found } from '../../src/config/auto.ts'
import { buildCatalog } from '../../src/config/catalog.ts'
import { findServers } from '../../src/config/find.ts'
import type { Environment } from '../../src/config/providers.ts'
import type { Config } from '../../src/config/schema.ts'
import { findGroup } from '../../src/core/catalog.ts'
import { ManualClock } from '../support/gateway.ts'

function auto(env: Environment, found?: Found, config: Config = {}): Config {
  const made = autoConfig(config, registry, env, found)
  // Whatever comes of it must be usable.
  buildCatalog(made, registry, env)
  return made
}

const targetOf = (config: Config, env: Environment, name: string) =>
  findGroup(buildCatalog(config, registry, env), name, new Map())?.deployments[0]?.label

describe('Without a configuration', () => {
  it('the model that comes along answers for everything, and only where there is nothing else', () => {
    const config = auto({})
    expect(Object.keys(config.providers ?? {})).toEqual(['demo'])
    expect(config.fallback).toBe('demo/tiny-chat')
    expect(auto({ OPENAI_API_KEY: 'x' }).fallback).toBeUndefined()
  })

  it('a key in the environment brings its provider under the names it answers to', () => {
    const env = { OPENAI_API_KEY: 'x', HF_TOKEN: 'y' }
    const config = auto(env)
    expect(targetOf(config, env, 'gpt-4o')).toBe('openai/gpt-4o')
    expect(targetOf(config, env, 'o3-mini')).toBe('openai/o3-mini')
    expect(targetOf(config, env, 'meta-llama/Llama-3:cheapest')).toBe('huggingface/meta-llama/Llama-3:cheapest')
    expect(targetOf(config, env, 'unheard-of')).toBeUndefined()
    const both = { HF_TOKEN: 'y', GEMINI_API_KEY: 'z' }
    expect(targetOf(auto(both), both, 'tunedModels/mine')).toBe('gemini/tunedModels/mine')
  })

  it('a key brings no provider whose address nobody knows', () => {
    const zeta = { type: 'zeta', title: 'Zeta', env: { apiKey: 'ZETA_KEY', baseURL: 'ZETA_URL' } }
    const names = (env: Environment) => Object.keys(autoConfig({}, { ...registry, zeta }, env).providers ?? {})
    expect(names({ ZETA_KEY: 'x' })).toEqual(['demo'])
    expect(names({ ZETA_KEY: 'x', ZETA_URL: 'http://zeta.test' })).toEqual(['demo', 'zeta'])
  })

  it('a variable that is set to nothing brings nothing', () => {
    expect(Object.keys(auto({ OPENAI_API_KEY: '' }).providers ?? {})).toEqual(['demo'])
  })

  it('a server that listens is found, and its first model answers for missing ones', () => {
    const found = new Map([['ollama', [{ id: 'llama3:8b' }, { id: 'phi' }]]])
    const config = auto({}, found)
    expect(config.providers).toHaveProperty('ollama')
    expect(config.fallback).toBe('ollama/llama3:8b')
  })

  it('nobody’s request goes to a paid model without being asked', () => {
    expect(auto({ OPENAI_API_KEY: 'x', HF_TOKEN: 'y', GROQ_API_KEY: 'z' })).not.toHaveProperty('fallback')
  })

  it('what is configured besides stays', () => {
    const config = auto({ OPENAI_API_KEY: 'x' }, undefined, {
      models: { 'gpt-*': 'openai/mine' },
      fallback: 'gpt-4',
      timeout: 5,
    })
    expect(config).toMatchObject({ fallback: 'gpt-4', timeout: 5 })
    expect(config.models?.['gpt-*']).toBe('openai/mine')
  })
})

describe('With providers configured', () => {
  it('nothing is added', () => {
    const config: Config = { providers: { openai: { type: 'openai' } } }
    expect(autoConfig(config, registry, { HF_TOKEN: 'x' }, new Map([['ollama', []]]))).toBe(config)
  })
})

describe('A mistake in a configuration without providers', () => {
  it.each<[string, object]>([
    ['providers', { providers: null }],
    ['models', { models: 'p/x' }],
    ['models', { models: ['p/x'] }],
    ['fallback', { fallback: null }],
  ])('is told, not replaced by what was found: %s', (place, config) => {
    expect(() => auto({ OPENAI_API_KEY: 'x' }, undefined, config)).toThrow(`  ${place}: found`)
  })
})

describe('Looking for servers', () => {
  const list = { models: [{ name: 'phi', model: 'phi', modified_at: '2026-01-01T00:00:00Z', details: {} }] }

  it('asks those that are usually on this machine, and nobody else', async () => {
    const asked: string[] = []
    const fetch = (async (input: RequestInfo | URL) => {
      asked.push(String(input instanceof Request ? input.url : input))
      return Response.json(list)
    }) as typeof globalThis.fetch
    const found = await findServers(registry, {}, { clock: new ManualClock(), fetch, log() {} })
    expect([...found.keys()]).toEqual(['ollama'])
    expect(asked.every((url) => new URL(url).hostname === '127.0.0.1')).toBe(true)
    await findServers(registry, { OLLAMA_HOST: 'http://box.test:11434' }, { clock: new ManualClock(), fetch, log() {} })
    expect(asked.at(-1)).toContain('http://box.test:11434/')
  })

  it('waits for a server that never answers no longer than its patience', async () => {
    const clock = new ManualClock()
    const fetch = ((_input: unknown, init?: RequestInit) =>
      new Promise((_, reject) => {
        if (init?.signal?.aborted) reject(init.signal.reason)
        init?.signal?.addEventListener('abort', () => reject(init.signal?.reason))
      })) as typeof globalThis.fetch
    const looking = findServers(registry, {}, { clock, fetch, log() {} })
    await clock.advance(10_000)
    expect((await looking).size).toBe(0)
  })

  it('finds nothing where nobody listens', async () => {
    const fetch = (() => Promise.reject(new TypeError('fetch failed'))) as typeof globalThis.fetch
    expect((await findServers(registry, {}, { clock: new ManualClock(), fetch, log() {} })).size).toBe(0)
  })
})
