import { describe, expect, it } from 'vitest'
import { chat, errorOf } from '../support/ask.ts'
import { serveUpstreams } from '../support/gateway.ts'
import { dollar, payingStarter } from '../support/paying.ts'
import { chatAnswer, json } from '../support/upstream.ts'

const usage = { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 }
const { up } = serveUpstreams({ up: json(200, { ...(chatAnswer('hello') as object), usage }) })
const start = payingStarter()

/** A token of input costs 1,000 nano-dollars, one of output 10,000. */
const price = { input: 1, output: 10 }
const config = (overrides: Record<string, unknown> = {}) => ({
  providers: { up: { type: 'openai-compatible' as const, baseURL: up.url } },
  models: { m: { deployments: [{ model: 'up/m', price, overrides }], retries: 0 } },
})
const messages = [{ role: 'user', content: 'hi' }]
const body = (more: object = {}) => chat('m', { max_tokens: 100, ...more })
const claudes = (more: object) => ({ model: 'm', max_tokens: 100, messages, ...more })
const responses = (more: object) => ({ model: 'm', input: 'hi', store: false, ...more })
const contents = (more: object) => ({ contents: [{ parts: [{ text: 'hi' }] }], ...more })
const llamas = (more: object) => ({ model: 'm', messages, stream: false, ...more })
const geminiPath = { path: '/../v1beta/models/m:generateContent' }
const ollamaPath = { path: '/../api/chat' }

describe('What may cost more than a budget can hold for it', () => {
  it.each([
    ['tools', body({ tools: [{ googleSearch: {} }] })],
    ['tools', body({ tools: [{ google_search: {} }] })],
    ['tools', body({ tools: [{ codeExecution: {} }] })],
    ['tools', body({ tools: [{ urlContext: {} }] })],
    ['tools', body({ tools: [{ type: 'web_search' }] })],
    ['extra_body', body({ extra_body: { google: { tools: [{ googleSearch: {} }] } } })],
    ['extra_body', body({ extra_body: { max_tokens: 5_000 } })],
    ['plugins', body({ plugins: [{ id: 'web' }] })],
    ['web_search_options', body({ web_search_options: {} })],
    ['web_search_options', body({ web_search_options: true })],
    ['search_parameters', body({ search_parameters: { mode: 'on' } })],
    ['mcp_servers', body({ mcp_servers: [{ type: 'url', url: 'https://a.b' }] })],
    ['container', body({ container: 'c' })],
    ['speed', body({ speed: 'fast' })],
    ['inference_geo', body({ inference_geo: 'us' })],
    ['generationConfig', body({ generationConfig: { candidateCount: 8 } })],
    ['context_management', body({ context_management: { edits: [{ type: 'compact_20260112' }] } })],
    ['n_predict', body({ n_predict: 9_999 })],
    ['num_predict', body({ num_predict: 9_999 })],
    ['max_new_tokens', body({ max_new_tokens: 9_999 })],
    ['options', body({ options: { num_predict: 9_999 } })],
    ['best_of', body({ best_of: 64 })],
    ['max_completion_tokens', body({ max_tokens: undefined, max_completion_tokens: -1 })],
    ['max_tokens', body({ max_completion_tokens: 5, max_tokens: -1 })],
  ])('is refused to a chat by the name of its field: %s', async (param, asked) => {
    const { ask } = await start(config(), { budget: dollar })
    const reply = await ask(asked)
    expect([reply.status, errorOf(reply)]).toEqual([400, expect.objectContaining({ param, code: 'unbounded_cost' })])
    expect(up.seen).toHaveLength(0)
    const allowed = await start(config(), { budget: dollar, allowUnbounded: true })
    expect((await allowed.ask(asked)).status).not.toBe(400)
  })

  it.each([
    ['a completion', { path: '/completions' }, { model: 'm', prompt: 'hi', max_tokens: 1, n_predict: 9_999 }],
    ['a completion', { path: '/completions' }, { model: 'm', prompt: 'hi', max_tokens: 1, best_of: '30' }],
    ['a completion', { path: '/completions' }, { model: 'm', prompt: 'hi', max_tokens: 1, best_of: [30] }],
    ['a message', { path: '/messages' }, claudes({ speed: 'fast' })],
    ['a message', { path: '/messages' }, claudes({ inference_geo: 'us' })],
    ['a message', { path: '/messages' }, claudes({ container: 'c' })],
    ['a message', { path: '/messages' }, claudes({ mcp_servers: [{ type: 'url', url: 'https://a.b', name: 'x' }] })],
    ['a message', { path: '/messages' }, claudes({ tools: [{ googleSearch: {} }] })],
    ['a response', { path: '/responses' }, responses({ prompt: { id: 'pmpt_1' } })],
    ['a response', { path: '/responses' }, responses({ plugins: [{ id: 'web' }] })],
    ['a response', { path: '/responses' }, responses({ tools: [{ googleSearch: {} }] })],
    ['Gemini’s contents', geminiPath, contents({ tools: [{ google_search: {} }] })],
    ['Gemini’s contents', geminiPath, contents({ serviceTier: 'priority' })],
    ['Gemini’s contents', geminiPath, contents({ service_tier: 'priority' })],
    ['Ollama’s chat', ollamaPath, llamas({ plugins: [] })],
  ])('is refused to %s', async (_, options, asked) => {
    const { ask } = await start(config(), { budget: dollar })
    const reply = await ask(asked, options)
    expect(reply.status).toBe(400)
    expect(reply.text).toContain('nobody can tell beforehand what')
    expect(up.seen).toHaveLength(0)
  })

  it('is refused where it is only for another model of a request', async () => {
    const { ask } = await start(config(), { budget: dollar })
    const reply = await ask(body({ fallbacks: [{ model: 'm', speed: 'fast' }] }))
    expect([reply.status, errorOf(reply).code]).toEqual([400, 'unbounded_cost'])
  })

  it.each([
    ['models', 'm', { models: ['m', 'dear'] }],
    ['provider', 'm', { provider: { order: ['dear'] } }],
    ['model', 'm:online', {}],
  ])('is refused where a router is to choose it: %s', async (param, model, more) => {
    const router = { type: 'openrouter' as const, baseURL: up.url, apiKey: 'env:UP_KEY' }
    const routed = {
      providers: { up: router },
      models: { m: { deployments: [{ model: `up/${model}`, price }], retries: 0 } },
    }
    const { ask } = await start(routed, { budget: dollar })
    const reply = await ask(body(more))
    expect([reply.status, errorOf(reply)]).toEqual([400, expect.objectContaining({ param, code: 'unbounded_cost' })])
    expect(up.seen).toHaveLength(0)
  })

  it('is whatever the larger of two limits lets it: servers differ in which they obey', async () => {
    const { ask } = await start(config(), { budget: 20_000_000 })
    for (const more of [
      { max_completion_tokens: 1, max_tokens: 5_000 },
      { max_completion_tokens: 5_000, max_tokens: 1 },
    ])
      expect((await ask(body(more))).status).toBe(429)
  })
})

describe('What costs no more than the words that it makes', () => {
  const schema = { type: 'object', properties: {} }

  it.each([
    [
      'a chat’s usual fields',
      '/chat/completions',
      body({ temperature: 1, top_k: 3, reasoning_effort: 'low', seed: 1 }),
    ],
    [
      'a function',
      '/chat/completions',
      body({ tools: [{ type: 'function', function: { name: 'f', parameters: schema } }] }),
    ],
    [
      'Google’s thoughts',
      '/chat/completions',
      body({ extra_body: { google: { thinking_config: { thinking_budget: 5 } } } }),
    ],
    ['nothing at all', '/chat/completions', body({ plugins: null, web_search_options: null })],
    [
      'what Claude Code sends',
      '/messages',
      claudes({
        system: 'be brief',
        tools: [{ name: 'f', input_schema: schema }],
        metadata: { user_id: 'u' },
        context_management: { edits: [{ type: 'clear_tool_uses_20250919' }] },
        inference_geo: 'global',
      }),
    ],
    [
      'what Codex sends',
      '/responses',
      responses({
        instructions: 'be brief',
        tools: [{ type: 'function', name: 'f', parameters: schema }],
        include: [],
      }),
    ],
  ])('goes on: %s', async (_, path, asked) => {
    const { ask } = await start(config(), { budget: dollar })
    expect((await ask(asked, { path })).status).toBe(200)
  })

  it('goes on by the other routes', async () => {
    const { ask } = await start(config(), { budget: dollar })
    const settings = { generation_config: { max_output_tokens: 5, temperature: 0 }, safetySettings: [], labels: {} }
    expect((await ask(contents(settings), geminiPath)).status).toBe(200)
    expect((await ask(llamas({ options: { num_predict: 5, num_ctx: 100 }, keep_alive: 5 }), ollamaPath)).status).toBe(
      200,
    )
    const completed = { object: 'text_completion', choices: [{ index: 0, text: 'hi', finish_reason: 'stop' }], usage }
    up.script(json(200, completed))
    const completion = { model: 'm', prompt: 'hi', max_tokens: 10, best_of: 1, echo: false, logprobs: null }
    expect((await ask(completion, { path: '/completions' })).text).toContain('"text":"hi"')
  })
})

it('What the configuration asks for is known to whoever wrote it, and its limit is held', async () => {
  const { ask } = await start(config({ speed: 'fast', n_predict: 5 }), { budget: 3_000_000 })
  expect((await ask(body())).status).toBe(200)
  const long = await start(config({ n_predict: 5_000 }), { budget: 3_000_000 })
  expect((await long.ask(body())).status).toBe(429)
})
