import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Both, runtimes, startBoth } from '../support/both.ts'
import { type FakeUpstream, fakeUpstream } from '../support/upstream.ts'

/** What a server answers: a body, or also a `link` header, for the query of each page. */
type Page = unknown | { readonly body: unknown; readonly link: string }
interface Server {
  readonly says: string
  readonly pages: (query: URLSearchParams, host: string) => Page
  readonly lists: readonly string[]
}

const model = (id: string) => ({ id, object: 'model', created: 1_700_000_000, owned_by: 'x' })
const data = (...ids: string[]) => ({ object: 'list', data: ids.map(model) })
const uuid = '0f002249-7d86-4698-aabf-8529ed86cefb'

const servers: Readonly<Record<string, Server>> = {
  openai: { says: "OpenAI's object", pages: () => data('a', 'b'), lists: ['a', 'b'] },
  // longy2k/obsidian-bmo-chatbot#51; also songquanpeng/one-api#128 and exo-explore/exo#590.
  together: {
    says: "Together's bare array",
    pages: () => [{ id: 'org/A', type: 'chat', display_name: 'A' }, model('org/B')],
    lists: ['org/A', 'org/B'],
  },
  // vllm-project/router#134.
  router: { says: '`models` instead of `data`', pages: () => ({ models: [model('a')] }), lists: ['a'] },
  ollama: {
    says: "Ollama's tags",
    pages: () => ({ models: [{ name: 'phi:latest', model: 'phi:latest', modified_at: '2026-01-01T00:00:00Z' }] }),
    lists: ['phi:latest'],
  },
  // NousResearch/hermes-agent#112537: names alone, among broken entries.
  names: {
    says: 'names alone',
    pages: () => ['a', '', null, 7, { id: ' ' }, { id: null, name: 'b' }],
    lists: ['a', 'b'],
  },
  nested: {
    says: 'a list inside `data`',
    pages: () => ({ object: 'list', data: { models: [model('a')] } }),
    lists: ['a'],
  },
  single: { says: 'one model as `data`', pages: () => ({ object: 'list', data: model('a') }), lists: ['a'] },
  keyed: {
    says: 'an object by name',
    pages: () => ({ object: 'list', data: { a: { owned_by: 'x' }, b: {} } }),
    lists: ['a', 'b'],
  },
  both: {
    says: '`data` beside `models`, as llama.cpp does',
    pages: () => ({ models: [{ name: 'other' }], ...data('a') }),
    lists: ['a'],
  },
  emptied: {
    says: 'an empty `data` beside `models`',
    pages: () => ({ data: [], models: [{ model: 'a' }] }),
    lists: ['a'],
  },
  inner: {
    says: "ids that are the catalog's own",
    pages: () => [
      { id: uuid, name: '@cf/meta/llama' },
      { id: 'azureml://registries/azureml-cohere/models/R/versions/3', name: 'R' },
    ],
    lists: ['@cf/meta/llama', 'R'],
  },
  twice: { says: 'a model twice', pages: () => data('a', 'b', 'a'), lists: ['a', 'b'] },
  // https://docs.cohere.com/v1/reference/list-models
  cohere: {
    says: "Cohere's pages",
    pages: (query) =>
      query.get('page_token') === 'n2'
        ? { models: [{ name: 'rerank' }], next_page_token: '' }
        : { models: [{ name: 'command', endpoints: ['chat'] }], next_page_token: 'n2' },
    lists: ['command', 'rerank'],
  },
  gemini: {
    says: "Gemini's pages",
    pages: (query) =>
      query.get('pageToken') === 'x/='
        ? { models: [{ name: 'models/b' }] }
        : { models: [{ name: 'models/a' }], nextPageToken: 'x/=' },
    lists: ['models/a', 'models/b'],
  },
  cursor: {
    says: 'pages by the last id',
    pages: (query) =>
      query.get('after') === 'b'
        ? { ...data('c'), has_more: false, last_id: 'c' }
        : { ...data('a', 'b'), has_more: true, last_id: 'b' },
    lists: ['a', 'b', 'c'],
  },
  // databricks/unity-gateway#680: Anthropic's pages, with a cursor that is null.
  anthropic: {
    says: 'pages whose cursor is missing',
    pages: (query) =>
      query.get('after_id') === 'a'
        ? { data: [{ id: 'b', type: 'model' }], has_more: false }
        : { data: [{ id: 'a', type: 'model' }], has_more: true, last_id: null },
    lists: ['a', 'b'],
  },
  next: {
    says: 'a link to the next page',
    pages: (query, host) =>
      query.has('page') ? { ...data('b'), next: null } : { ...data('a'), next: `http://${host}/next/models?page=2` },
    lists: ['a', 'b'],
  },
  // tobocop2/lilbee#115: Hugging Face's API.
  header: {
    says: 'a link in a header',
    pages: (query) =>
      query.has('page')
        ? data('b')
        : { body: data('a'), link: '</header/models?page=2>; rel="next", </x>; rel="last"' },
    lists: ['a', 'b'],
  },
  // Cloudflare's API: `GET /accounts/{id}/ai/models/search`.
  cloudflare: {
    says: "Cloudflare's numbered pages",
    pages: (query) => {
      const page = Number(query.get('page') ?? 1)
      const result = [{ id: uuid, name: `@cf/x/m${page}`, task: { id: uuid, name: 'Text Generation' } }]
      return { success: true, errors: [], result, result_info: { page, per_page: 1, count: 1, total_pages: 3 } }
    },
    lists: ['@cf/x/m1', '@cf/x/m2', '@cf/x/m3'],
  },
  // gpustack/gpustack: the page's number stands beside the entries, in `pagination`.
  gpustack: {
    says: "GPUStack's numbered pages",
    pages: (query) => {
      const page = Number(query.get('page') ?? 1)
      return { items: [{ id: page, name: `m${page}` }], pagination: { page, perPage: 1, total: 2, totalPage: 2 } }
    },
    lists: ['m1', 'm2'],
  },
  numbered: {
    says: 'numbered pages beside `data`',
    pages: (query) => {
      const page = Number(query.get('page') ?? 1)
      return { ...data(`m${page}`), page, pages: 2, page_size: 1, total: 2 }
    },
    lists: ['m1', 'm2'],
  },
  hinted: {
    says: 'the number of the next page',
    pages: (query) =>
      query.get('page') === '2' ? { ...data('b'), next_page: null } : { ...data('a'), next_page: 2, page: 1 },
    lists: ['a', 'b'],
  },
  more: {
    says: 'a number and whether there is more',
    pages: (query) => {
      const page = Number(query.get('page') ?? 1)
      return { ...data(`m${page}`), page, has_more: page < 3 }
    },
    lists: ['m1', 'm2', 'm3'],
  },
  offset: {
    says: 'an offset',
    pages: (query) =>
      query.get('offset') === '1'
        ? { ...data('b'), has_more: false, next_offset: null }
        : { ...data('a'), has_more: true, next_offset: 1 },
    lists: ['a', 'b'],
  },
  // Django REST Framework, and Replicate's API.
  results: {
    says: '`results` with a link',
    pages: (query, host) =>
      query.has('page')
        ? { count: 2, next: null, previous: '?', results: [model('b')] }
        : { count: 2, next: `http://${host}/results/models?page=2`, previous: null, results: [model('a')] },
    lists: ['a', 'b'],
  },
  // Laravel's paginator.
  laravel: {
    says: "Laravel's pages",
    pages: (query, host) => {
      const page = Number(query.get('page') ?? 1)
      const next = page === 1 ? `https://${host}/laravel/models?page=2` : null
      return { current_page: page, last_page: 2, next_page_url: next, ...data(`m${page}`) }
    },
    lists: ['m1', 'm2'],
  },
  // https://docs.fireworks.ai/api-reference/list-models, and Google's rule that a page may be empty (AIP-158).
  fireworks: {
    says: 'an empty page before the last',
    pages: (query) =>
      ({
        '': { models: [{ name: 'accounts/x/models/a' }], nextPageToken: 'p2', totalSize: 2 },
        p2: { models: [], nextPageToken: 'p3', totalSize: 2 },
        p3: { models: [{ name: 'accounts/x/models/b' }], nextPageToken: '', totalSize: 2 },
      })[query.get('pageToken') ?? ''],
    lists: ['accounts/x/models/a', 'accounts/x/models/b'],
  },
  // https://docs.anthropic.com/en/api/models-list: 20 on a page.
  claude: {
    says: "Anthropic's pages",
    pages: (query) =>
      query.get('after_id') === 'claude-a'
        ? { data: [{ type: 'model', id: 'claude-b' }], has_more: false, first_id: 'claude-b', last_id: 'claude-b' }
        : { data: [{ type: 'model', id: 'claude-a' }], has_more: true, first_id: 'claude-a', last_id: 'claude-a' },
    lists: ['claude-a', 'claude-b'],
  },
  failing: {
    says: 'a second page that fails',
    pages: (query) => (query.has('page') ? undefined : { ...data('a'), next: '?page=2' }),
    lists: ['a'],
  },
  deaf: { says: 'the same page for ever', pages: () => ({ ...data('a'), has_more: true, last_id: 'a' }), lists: ['a'] },
  abroad: {
    says: 'a link to another host',
    pages: () => ({ ...data('a'), next: 'http://evil.example/models?page=2' }),
    lists: ['a'],
  },
  elsewhere: {
    says: 'a link to another name of the same machine',
    pages: (_, host) => ({
      ...data('a'),
      links: { next: `http://${host.replace('127.0.0.1', 'localhost')}/elsewhere` },
    }),
    lists: ['a'],
  },
  stuck: {
    says: 'a first page for each of 10,000',
    pages: () => ({ ...data('a', 'b'), page: 1, total_pages: 10_000 }),
    lists: ['a', 'b'],
  },
  hollow: {
    says: 'empty pages for ever',
    pages: (query) => ({ models: [], nextPageToken: `${query.get('pageToken') ?? ''}x` }),
    lists: [],
  },
  many: {
    says: '10,000 numbered pages',
    pages: (query) => {
      const page = Number(query.get('page') ?? 1)
      return { ...data(`m${page}`), page, total_pages: 10_000 }
    },
    lists: Array.from({ length: 10 }, (_, at) => `m${at + 1}`),
  },
  endless: {
    says: 'more pages than anybody needs',
    pages: (query) => {
      const page = Number(query.get('page') ?? 1)
      return { ...data(`m${page}`), next: `/endless/models?page=${page + 1}` }
    },
    lists: Array.from({ length: 10 }, (_, at) => `m${at + 1}`),
  },
  huge: {
    says: 'more models than anybody needs',
    pages: () => Array.from({ length: 10_001 }, (_, at) => `m${at}`),
    lists: Array.from({ length: 10_000 }, (_, at) => `m${at}`),
  },
  error: { says: 'an error under a 200', pages: () => ({ error: { message: 'no', models: ['x'] } }), lists: [] },
  hf: {
    says: "the pages of Hugging Face's router",
    pages: (query) => (query.has('page') ? data('org/B') : { body: [model('org/A')], link: '<?page=2>; rel="next"' }),
    lists: ['org/A', 'org/B'],
  },
  library: {
    says: "an old Ollama's library, with names alone",
    pages: () => ({ models: [{ name: 'phi:latest' }] }),
    lists: ['phi:latest'],
  },
}

const types: Readonly<Record<string, string>> = { hf: 'huggingface', library: 'ollama' }

describe.each(runtimes)('The list of models (%s)', (runtime) => {
  let upstream: FakeUpstream
  let both: Both
  let listed: readonly string[]

  beforeAll(async () => {
    upstream = await fakeUpstream((request, response) => {
      const url = new URL(request.path, upstream.url)
      const [, name = ''] = url.pathname.split('/')
      const page = servers[name]?.pages(url.searchParams, new URL(upstream.url).host)
      if (page === undefined) return response.writeHead(500).end()
      const linked = page as { body?: unknown; link?: string }
      response.writeHead(200, { 'content-type': 'application/json', ...(linked.link && { link: linked.link }) })
      return response.end(JSON.stringify(linked.link ? linked.body : page))
    })
    const providers = Object.keys(servers).map((name) => {
      return [name, { type: types[name] ?? 'openai-compatible', baseURL: `${upstream.url}/${name}` }]
    })
    both = await startBoth(
      `model-lists-${runtime}`,
      { providers: Object.fromEntries(providers) },
      { HF_TOKEN: 'hf_test' },
      { lists: true },
    )
    const response = await fetch(`${both.addresses[runtime]}/models`, {
      headers: { authorization: `Bearer ${both.key}` },
    })
    const list = (await response.json()) as { data: { id: string }[] }
    listed = list.data.map(({ id }) => id)
  })

  afterAll(async () => {
    await both.close()
    await upstream.close()
  })

  const cases = Object.entries(servers).map(([name, server]) => ({ name, ...server }))

  it.each(cases)('is read from a server with $says', ({ name, lists }) => {
    const own = listed.filter((id) => id.startsWith(`${name}/`))
    expect(own).toEqual(lists.map((id) => `${name}/${id}`))
  })

  it('costs no more requests than there are pages', () => {
    const asked = (name: string) => upstream.seen.filter(({ path }) => path.split(/[/?]/)[1] === name).length
    expect(['openai', 'cohere', 'deaf', 'abroad', 'endless', 'huge'].map(asked)).toEqual([1, 2, 2, 1, 10, 1])
    expect(['cloudflare', 'numbered', 'hinted', 'more', 'laravel'].map(asked)).toEqual([3, 2, 2, 3, 2])
    expect(['elsewhere', 'stuck', 'hollow', 'many'].map(asked)).toEqual([1, 2, 10, 10])
  })
})
