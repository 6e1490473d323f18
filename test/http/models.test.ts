import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Both, runtimes, startBoth } from '../support/both.ts'
import { type FakeUpstream, fakeUpstream } from '../support/upstream.ts'

type Entry = Record<string, unknown> & { id: string }

/** As the servers answer, cut to the fields that matter. */
const lists: Readonly<Record<string, unknown>> = {
  // https://openrouter.ai/docs/overview/models
  openrouter: {
    data: [
      {
        id: 'org/sees',
        name: 'Org: Sees',
        created: 1_700_000_000,
        context_length: 131_072,
        architecture: {
          modality: 'text+image->text',
          input_modalities: ['text', 'image'],
          output_modalities: ['text'],
        },
        pricing: { prompt: '0.00000015', completion: '0.0000006' },
        top_provider: { context_length: 131_072, max_completion_tokens: 16_384 },
        supported_parameters: ['max_tokens', 'tools', 'tool_choice', 'reasoning', 'structured_outputs'],
      },
      { id: 'org/router', context_length: 2_000_000, pricing: { prompt: '-1', completion: '-1' } },
      {
        id: 'org/embeds',
        architecture: { input_modalities: ['text'], output_modalities: ['embeddings'] },
        pricing: { prompt: '0.00000002', completion: '0' },
      },
    ],
  },
  groq: { data: [{ id: 'g', context_window: 8192, max_completion_tokens: 2048, owned_by: 'Meta' }] },
  mistral: {
    data: [
      {
        id: 'ministral',
        max_context_length: 262_144,
        capabilities: { completion_chat: true, function_calling: true, vision: false },
      },
    ],
  },
  vllm: { data: [{ id: 'v', object: 'model', max_model_len: 32_768, root: 'org/v', permission: [] }] },
  llamacpp: { data: [{ id: 'l', object: 'model', meta: { n_ctx_train: 40_960, n_params: 1 } }] },
  lmstudio: {
    data: [
      { id: 's', type: 'vlm', max_context_length: 131_072, loaded_context_length: 4096, capabilities: ['tool_use'] },
      { id: 'nomic', type: 'embeddings', max_context_length: 2048 },
    ],
  },
  odd: {
    data: [
      {
        id: 'odd',
        context_length: -1,
        max_model_len: '8k',
        architecture: 'llama',
        pricing: null,
        capabilities: null,
        supported_parameters: [null, 7],
        top_provider: [],
        meta: 'x',
        created: 'today',
      },
    ],
  },
}

const tags = { models: [{ name: 'sees:latest', model: 'sees:latest' }] }
const show = { capabilities: ['completion', 'tools', 'vision', 'thinking'], model_info: { 'x.context_length': 16_384 } }

describe.each(runtimes)('A client that lists models (%s)', (runtime) => {
  let upstream: FakeUpstream
  let both: Both
  let listed: Entry[]

  const get = (path: string, method = 'GET') =>
    fetch(both.addresses[runtime] + path, { method, headers: { authorization: `Bearer ${both.key}` } })
  const entry = (id: string) => listed.find((one) => one.id === id)

  beforeAll(async () => {
    upstream = await fakeUpstream((request, response) => {
      const [, name = ''] = request.path.split('/')
      // Never answers.
      if (name === 'hangs' || request.path === '/silent/api/show') return
      const answer = ['ollama', 'silent'].includes(name) ? (request.path.endsWith('/show') ? show : tags) : lists[name]
      // What LM Studio's API for OpenAI's clients leaves out is in its own.
      if (request.path === '/lmstudio/models') return response.writeHead(500).end()
      response.writeHead(answer ? 200 : 404, { 'content-type': 'application/json' }).end(JSON.stringify(answer ?? {}))
    })
    const provider = (type: string, name = type) => [
      name,
      { type, baseURL: `${upstream.url}/${name}`, apiKey: 'env:K' },
    ]
    const types = ['openrouter', 'groq', 'mistral', 'vllm', 'llamacpp', 'lmstudio', 'ollama']
    const others = ['odd', 'hangs'].map((name) => provider('openai-compatible', name))
    others.push(provider('ollama', 'silent'))
    both = await startBoth(
      `models-${runtime}`,
      {
        providers: Object.fromEntries([...types.map((type) => provider(type)), ...others]),
        models: {
          alias: 'openrouter/org/sees',
          chained: 'alias',
          group: { deployments: ['groq/g', 'vllm/v', 'openrouter/org/sees'] },
          own: {
            deployments: [
              {
                model: 'odd/odd',
                contextWindow: 1000,
                maxOutput: 100,
                supports: { tools: true, vision: true },
                price: { input: 2.5, output: 10 },
              },
            ],
          },
          tight: {
            deployments: [
              {
                model: 'openrouter/org/sees',
                contextWindow: 1000,
                maxOutput: 100,
                supports: { tools: false, vision: false },
              },
            ],
          },
          'hangs/x': 'groq/g',
          'or/*': 'openrouter/org/*',
          'or/router': 'groq/g',
          'gpt-*': 'groq/g',
          'vllm/*': 'openrouter/org/*',
        },
      },
      { K: 'sk-x' },
      { lists: true },
    )
    const response = await get('/models')
    listed = ((await response.json()) as { data: Entry[] }).data
  })

  afterAll(async () => {
    await both.close()
    await upstream.close()
  })

  it("is told all that OpenRouter's list tells", () => {
    expect(entry('openrouter/org/sees')).toEqual({
      id: 'openrouter/org/sees',
      object: 'model',
      created: 1_700_000_000,
      owned_by: 'openrouter',
      name: 'openrouter/org/sees',
      context_length: 131_072,
      context_window: 131_072,
      max_model_len: 131_072,
      max_output_tokens: 16_384,
      max_completion_tokens: 16_384,
      top_provider: { context_length: 131_072, max_completion_tokens: 16_384 },
      architecture: { modality: 'text+image->text', input_modalities: ['text', 'image'], output_modalities: ['text'] },
      supported_parameters: ['max_tokens', 'tools', 'tool_choice', 'reasoning', 'structured_outputs'],
      capabilities: { function_calling: true, vision: true, reasoning: true },
      pricing: { prompt: '0.00000015', completion: '0.0000006' },
    })
    expect(entry('openrouter/org/router')).not.toHaveProperty('pricing')
    expect(entry('openrouter/org/embeds')).toMatchObject({ pricing: { prompt: '0.00000002', completion: '0' } })
  })

  it.each([
    ['groq/g', { context_length: 8192, max_output_tokens: 2048 }],
    ['mistral/ministral', { context_length: 262_144, capabilities: { function_calling: true, vision: false } }],
    ['vllm/v', { context_length: 32_768 }],
    ['llamacpp/l', { context_length: 40_960 }],
    ['lmstudio/s', { context_length: 4096, capabilities: { function_calling: true, vision: true } }],
    ['lmstudio/nomic', { context_length: 2048, architecture: { modality: 'text->embeddings' } }],
    [
      'ollama/sees:latest',
      {
        context_length: 16_384,
        architecture: {
          modality: 'text+image->text',
          input_modalities: ['text', 'image'],
          output_modalities: ['text'],
        },
        capabilities: { function_calling: true, vision: true, reasoning: true },
      },
    ],
  ])('is told what the list of %s tells', (id, told) => {
    expect(entry(id)).toMatchObject(told)
  })

  it('is told nothing that nobody knows', () => {
    const names = ['id', 'object', 'created', 'owned_by', 'name']
    expect(Object.keys(entry('odd/odd') ?? {})).toEqual(names)
    for (const one of listed) {
      expect(one).toMatchObject({ object: 'model', created: expect.any(Number), owned_by: expect.any(String) })
      expect(JSON.stringify(one)).not.toContain('null')
    }
  })

  it('waits neither for a list that never comes nor for details that never do', () => {
    expect(entry('silent/sees:latest')).toEqual({
      id: 'silent/sees:latest',
      object: 'model',
      created: expect.any(Number),
      owned_by: 'silent',
      name: 'silent/sees:latest',
    })
    expect(listed.filter(({ id }) => id.startsWith('hangs/'))).toMatchObject([{ id: 'hangs/x', root: 'groq/g' }])
  })

  it('is told by the configuration where that says something', () => {
    expect(entry('own')).toMatchObject({
      root: 'odd/odd',
      context_length: 1000,
      max_output_tokens: 100,
      architecture: { modality: 'text+image->text' },
      supported_parameters: ['tools', 'tool_choice'],
      pricing: { prompt: '0.0000025', completion: '0.00001' },
    })
    expect(entry('tight')).toMatchObject({
      context_length: 1000,
      max_output_tokens: 100,
      architecture: { modality: 'text->text', input_modalities: ['text'] },
      supported_parameters: ['max_tokens', 'reasoning', 'structured_outputs'],
      capabilities: { function_calling: false, vision: false, reasoning: true },
      pricing: { prompt: '0.00000015', completion: '0.0000006' },
    })
  })

  it('sees what a name stands for', () => {
    expect(entry('alias')).toMatchObject({
      root: 'openrouter/org/sees',
      owned_by: 'openrouter',
      context_length: 131_072,
    })
    expect(entry('chained')).toMatchObject({ id: 'chained', name: 'chained', root: 'openrouter/org/sees' })
    expect(entry('openrouter/org/sees')).not.toHaveProperty('root')
  })

  it('sees of several deployments what all of them take, and what one of them is able to', () => {
    expect(entry('group')).toMatchObject({
      root: 'groq/g',
      context_length: 8192,
      max_output_tokens: 2048,
      capabilities: { function_calling: true, vision: true },
    })
    // Nobody knows what Groq costs.
    expect(entry('group')).not.toHaveProperty('pricing')
  })

  it('sees the models that a name with a star leads to, under the names that lead to them', async () => {
    const ids = listed.map(({ id }) => id)
    expect(ids.filter((id) => id.includes('*') || id.startsWith('gpt-'))).toEqual([])
    expect(ids.filter((id) => id.startsWith('or/'))).toEqual(['or/router', 'or/sees', 'or/embeds'])
    expect(entry('or/sees')).toMatchObject({ root: 'openrouter/org/sees', context_length: 131_072 })
    expect(entry('or/router')).toMatchObject({ root: 'groq/g' })
    // These would go to vLLM itself.
    expect(ids.filter((id) => id.startsWith('vllm/'))).toEqual(['vllm/v'])
    expect(new Set(ids).size).toBe(ids.length)
  })

  it('finds each of them by its id, with the same facts, and the same under /engines', async () => {
    for (const one of listed) {
      const found = await get(`/models/${encodeURIComponent(one.id)}`)
      expect(await found.json()).toEqual(one)
      expect(await (await get(`/engines/${one.id}`)).json()).toEqual(one)
    }
    expect(await (await get('/engines')).json()).toEqual({ object: 'list', data: listed })
  })

  it('may ask for the headers alone', async () => {
    for (const path of ['/models', '/models/alias', '/models/openrouter/org/sees']) {
      const response = await get(path, 'HEAD')
      expect([response.status, await response.text()]).toEqual([200, ''])
      expect(response.headers.get('content-type')).toBe('application/json')
    }
    expect((await get('/models/nope', 'HEAD')).status).toBe(404)
  })

  it('gets the format of Codex too if it is Codex', async () => {
    const response = await get('/models?client_version=0.169.0')
    const body = (await response.json()) as { data: Entry[]; models: Record<string, unknown>[] }
    expect(body.data).toEqual(listed)
    const slugs = body.models.map(({ slug }) => slug)
    expect(slugs).toEqual(listed.map(({ id }) => id).filter((id) => !/embeds|nomic/.test(id)))
    expect(body.models.find(({ slug }) => slug === 'alias')).toMatchObject({
      display_name: 'alias',
      context_window: 131_072,
      input_modalities: ['text', 'image'],
      supported_reasoning_levels: [{ effort: 'low' }, { effort: 'medium' }, { effort: 'high' }],
    })
    // Fields for which its `ModelInfo` has no default: one that is missing costs the whole list.
    for (const model of body.models) {
      expect(model).toMatchObject({
        slug: expect.any(String),
        display_name: expect.any(String),
        supported_reasoning_levels: expect.any(Array),
        shell_type: 'shell_command',
        visibility: 'list',
        supported_in_api: true,
        priority: expect.any(Number),
        base_instructions: expect.stringMatching(/./),
        supports_reasoning_summaries: false,
        support_verbosity: false,
        truncation_policy: { mode: 'bytes', limit: expect.any(Number) },
        supports_parallel_tool_calls: expect.any(Boolean),
        experimental_supported_tools: [],
      })
    }
  })

  it('keeps images away from a model that its list says is blind', async () => {
    const image = { type: 'image_url', image_url: { url: 'data:image/png;base64,AA==' } }
    const messages = [{ role: 'user', content: [{ type: 'text', text: 'hi' }, image] }]
    const { status, text } = await both.ask(runtime, { model: 'mistral/ministral', messages })
    expect(status).toBe(400)
    expect(text).toContain('reading images')
    expect(upstream.seen.filter(({ path }) => path.endsWith('/chat/completions'))).toEqual([])
  })
})
