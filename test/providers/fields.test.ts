import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ProviderConfig } from '../../src/config/schema.ts'
import { chat, errorOf } from '../support/ask.ts'
import { type Both, type Runtime, runtimes, startBoth } from '../support/both.ts'
import {
  callAnswer,
  chatAnswer,
  type FakeUpstream,
  fakeUpstream,
  json,
  type Seen,
  tokenLogprobs,
} from '../support/upstream.ts'
import { usually } from '../support/usually.ts'

const f = { type: 'function', function: { name: 'f', parameters: { type: 'object', properties: {} } } }
const schema = { name: 's', schema: { type: 'object', properties: {} } }
const part = (one: object) => ({ messages: [{ role: 'user', content: [{ type: 'text', text: 'hi' }, one] }] })

/** Each field of a chat request with a value that asks for something, and the request that it is compared with. */
const fields: Readonly<Record<string, readonly [request: object, without?: object]>> = {
  audio: [{ audio: { voice: 'alloy', format: 'wav' } }],
  frequency_penalty: [{ frequency_penalty: 0.5 }],
  function_call: [{ functions: [f.function], function_call: { name: 'f' } }, { functions: [f.function] }],
  functions: [{ functions: [f.function] }],
  logit_bias: [{ logit_bias: { 5: -100 } }],
  logprobs: [{ logprobs: true }],
  max_completion_tokens: [{ max_completion_tokens: 5 }],
  max_tokens: [{ max_tokens: 5 }],
  'messages with a file': [part({ type: 'file', file: { file_data: 'data:,x', filename: 'x' } })],
  'messages with audio': [part({ type: 'input_audio', input_audio: { data: 'UklGRg==', format: 'wav' } })],
  'messages with an image': [part({ type: 'image_url', image_url: { url: 'data:image/png;base64,iVBORw0KGgo=' } })],
  metadata: [{ metadata: { a: 'b' } }],
  modalities: [{ modalities: ['text', 'audio'] }],
  moderation: [{ moderation: { model: 'omni-moderation-latest' } }],
  n: [{ n: 2 }],
  parallel_tool_calls: [{ tools: [f], parallel_tool_calls: false }, { tools: [f] }],
  prediction: [{ prediction: { type: 'content', content: 'x' } }],
  presence_penalty: [{ presence_penalty: 0.5 }],
  prompt_cache_key: [{ prompt_cache_key: 'k' }],
  prompt_cache_options: [{ prompt_cache_options: { ttl: '24h' } }],
  prompt_cache_retention: [{ prompt_cache_retention: '24h' }],
  reasoning_effort: [{ reasoning_effort: 'low' }],
  'response_format json_object': [{ response_format: { type: 'json_object' } }],
  'response_format json_schema': [{ response_format: { type: 'json_schema', json_schema: schema } }],
  safety_identifier: [{ safety_identifier: 's' }],
  seed: [{ seed: 7 }],
  service_tier: [{ service_tier: 'flex' }],
  stop: [{ stop: ['x'] }],
  store: [{ store: false }],
  temperature: [{ temperature: 0.5 }],
  'tool_choice none': [{ tools: [f], tool_choice: 'none' }, { tools: [f] }],
  'tool_choice of some tools': [
    {
      tools: [f],
      tool_choice: {
        type: 'allowed_tools',
        allowed_tools: { mode: 'auto', tools: [{ type: 'function', function: { name: 'f' } }] },
      },
    },
    { tools: [f] },
  ],
  'tool_choice of one tool': [
    { tools: [f], tool_choice: { type: 'function', function: { name: 'f' } } },
    { tools: [f] },
  ],
  'tool_choice required': [{ tools: [f], tool_choice: 'required' }, { tools: [f] }],
  tools: [{ tools: [f] }],
  'tools, custom': [{ tools: [{ type: 'custom', custom: { name: 'x' } }] }],
  top_logprobs: [{ logprobs: true, top_logprobs: 2 }, { logprobs: true }],
  top_p: [{ top_p: 0.5 }],
  user: [{ user: 'u' }],
  verbosity: [{ verbosity: 'low' }],
  web_search_options: [{ web_search_options: {} }],
}

/** Fields that change nothing that a client could miss. */
const cosmetic = [
  'metadata',
  'prompt_cache_key',
  'prompt_cache_options',
  'prompt_cache_retention',
  'safety_identifier',
  'service_tier',
  'store',
  'user',
  'verbosity',
]

/** What becomes of a field where it doesn't reach the upstream as it is. */
interface Kind {
  readonly provider: ProviderConfig
  readonly refused?: readonly string[]
  /** It reaches the upstream in other words. */
  readonly translated?: readonly string[]
  readonly leftOut?: readonly string[]
  /** It makes one choice at once. */
  readonly oneByOne?: true
}

const openaiOnly = ['audio', 'modalities', 'moderation', 'prediction', 'web_search_options']
const functions = ['function_call', 'functions']
const choices = ['tool_choice of some tools', 'tool_choice of one tool']

const ollama: Omit<Kind, 'provider'> = {
  oneByOne: true,
  refused: [...openaiOnly, ...choices, 'function_call', 'logit_bias', 'messages with a file', 'tool_choice required'],
}

const kinds: Readonly<Record<string, Kind>> = {
  openai: { provider: { type: 'openai', apiKey: 'env:KEY' } },
  'openai-compatible': { provider: { type: 'openai-compatible' } },
  huggingface: { provider: { type: 'huggingface', apiKey: 'env:KEY' }, oneByOne: true, translated: functions },
  groq: { provider: { type: 'groq', apiKey: 'env:KEY' }, oneByOne: true },
  openrouter: { provider: { type: 'openrouter', apiKey: 'env:KEY' }, oneByOne: true, translated: ['reasoning_effort'] },
  'an endpoint with vLLM': {
    provider: { type: 'huggingface', apiKey: 'env:KEY', engine: 'vllm' },
    refused: ['moderation', 'prediction', 'web_search_options'],
    translated: functions,
  },
  'an endpoint with llama.cpp': {
    provider: { type: 'huggingface', apiKey: 'env:KEY', engine: 'llamacpp' },
    refused: [...openaiOnly, 'tool_choice of some tools'],
    translated: [...functions, 'tool_choice of one tool'],
  },
  'an endpoint with TGI': {
    provider: { type: 'huggingface', apiKey: 'env:KEY', engine: 'tgi' },
    oneByOne: true,
    refused: [...openaiOnly, 'logit_bias'],
    leftOut: ['parallel_tool_calls'],
    translated: [...functions, 'max_completion_tokens'],
  },
  'an endpoint with transformers': {
    provider: { type: 'huggingface', apiKey: 'env:KEY', engine: 'transformers' },
    oneByOne: true,
    refused: [
      ...openaiOnly,
      ...choices,
      'function_call',
      'logit_bias',
      'logprobs',
      'messages with a file',
      'presence_penalty',
      'stop',
      'tool_choice required',
      'top_logprobs',
    ],
    translated: [
      'functions',
      'max_completion_tokens',
      'response_format json_object',
      'response_format json_schema',
      'tool_choice none',
      'tools, custom',
    ],
    leftOut: [
      ...cosmetic.filter((name) => name !== 'user' && name !== 'metadata'),
      'parallel_tool_calls',
      'reasoning_effort',
    ],
  },
  vllm: {
    provider: { type: 'vllm' },
    refused: ['moderation', 'prediction', 'web_search_options'],
    translated: functions,
  },
  llamacpp: {
    provider: { type: 'llamacpp' },
    refused: [...openaiOnly, 'tool_choice of some tools'],
    translated: [...functions, 'tool_choice of one tool'],
  },
  lmstudio: {
    provider: { type: 'lmstudio' },
    oneByOne: true,
    refused: [...openaiOnly, 'logprobs', 'top_logprobs'],
    translated: functions,
  },
  ollama: {
    ...ollama,
    provider: { type: 'ollama' },
    translated: [
      'frequency_penalty',
      'functions',
      'max_completion_tokens',
      'max_tokens',
      'messages with an image',
      'messages with audio',
      'presence_penalty',
      'reasoning_effort',
      'response_format json_object',
      'response_format json_schema',
      'seed',
      'stop',
      'temperature',
      'tool_choice none',
      'tools, custom',
      'top_p',
    ],
    leftOut: [...cosmetic, 'parallel_tool_calls'],
  },
  "ollama with api: 'openai'": {
    ...ollama,
    provider: { type: 'ollama', api: 'openai' },
    translated: ['functions', 'max_completion_tokens', 'tools, custom'],
    leftOut: ['parallel_tool_calls'],
  },
}

const address = (provider: ProviderConfig, url: string) =>
  provider.type === 'huggingface' && 'engine' in provider ? { endpointUrl: url } : { baseURL: url }

const choice = { message: { role: 'assistant', content: '{}', refusal: null }, finish_reason: 'stop' }
const choicesOf = (n: number, logprobs: object | null) => ({
  ...chatAnswer('{}'),
  choices: Array.from({ length: n }, (_, index) => ({ index, ...choice, logprobs })),
})

const answerOf = ({ path, body }: Seen) => {
  if (/"tool_choice":(\{"type":"function"|"required")|"function_call":\{/.test(body)) return callAnswer('f')
  const logprobs = body.includes('"logprobs":true') ? tokenLogprobs('{}') : null
  return path === '/api/chat'
    ? {
        model: 'x',
        message: { role: 'assistant', content: '{}' },
        done: true,
        done_reason: 'stop',
        logprobs: logprobs?.content,
      }
    : choicesOf(body.includes('"n":2') ? 2 : 1, logprobs)
}

let upstream: FakeUpstream
let both: Both
beforeAll(async () => {
  upstream = await fakeUpstream((request, ...rest) => json(200, answerOf(request))(request, ...rest))
  const named = Object.entries(kinds).map(([name, { provider }]) => [
    name,
    { ...provider, ...address(provider, upstream.url) },
  ])
  both = await startBoth(
    'fields',
    { providers: { ...Object.fromEntries(named), demo: { type: 'embedded' } } },
    { KEY: 'k-of-the-provider' },
  )
})
afterAll(async () => {
  await both.close()
  await upstream.close()
})

async function bodyFor(runtime: Runtime, model: string, more: object) {
  upstream.seen.length = 0
  const reply = await both.ask(runtime, chat(model, more))
  const { status } = reply
  if (status !== 200) return { status, error: errorOf(reply) }
  const asked = upstream.seen.filter(({ method }) => method === 'POST').length
  return { status, asked, sent: JSON.parse(upstream.seen.at(-1)?.body ?? '{}') as Record<string, unknown> }
}

const bares = new Map<string, ReturnType<typeof bodyFor>>()

/** The request without a field, which is the same for most. */
function bareOf(runtime: Runtime, kind: string, without: object): ReturnType<typeof bodyFor> {
  const key = JSON.stringify([runtime, kind, without])
  const known = bares.get(key) ?? bodyFor(runtime, `${kind}/x`, without)
  bares.set(key, known)
  return known
}

/** What became of a field: it reached the upstream as it was, in other words, or not; or it was refused. */
async function fateOf(runtime: Runtime, kind: string, field: string): Promise<string> {
  const [request, without = {}] = fields[field] ?? [{}]
  const { status, sent, error, asked: times = 1 } = await bodyFor(runtime, `${kind}/x`, request)
  if (status !== 200) return `${status} ${error?.code} ${error?.param?.split(/[[.]/)[0]}`
  if (times > 1) return 'asked for one by one'
  const bare = await bareOf(runtime, kind, without)
  const name = field.split(/[ ,]/)[0] as string
  const asked = JSON.stringify((request as Record<string, unknown>)[name])
  if (JSON.stringify(sent?.[name]) === asked) return 'reaches'
  return JSON.stringify(sent) === JSON.stringify(bare.sent) ? 'left out' : 'translated'
}

/** The names of a refusal of a field that comes with another. */
const named: Readonly<Record<string, string>> = { top_logprobs: 'logprobs' }

describe.each(runtimes)('A field of a chat request, on %s,', (runtime) => {
  it.each(Object.keys(kinds))('reaches %s, is said to it in its own words, or is refused by name', async (kind) => {
    const { refused = [], translated = [], leftOut = [], oneByOne } = kinds[kind] as Kind
    const expected = (field: string) => {
      if (refused.includes(field)) return `400 unsupported_parameter ${named[field] ?? field.split(/[ ,]/)[0]}`
      if (translated.includes(field)) return 'translated'
      if (field === 'n' && oneByOne) return 'asked for one by one'
      return leftOut.includes(field) ? 'left out' : 'reaches'
    }
    const fates: Record<string, string> = {}
    for (const field of Object.keys(fields)) fates[field] = await fateOf(runtime, kind, field)
    expect(fates).toEqual(Object.fromEntries(Object.keys(fields).map((field) => [field, expected(field)])))
  })
})

// It computes in earnest.
describe.each(usually<readonly Runtime[]>(['node'], runtimes))('A field of a chat request, on %s,', (runtime) => {
  it('is taken or refused by name by the model that comes with the gateway', async () => {
    const refused: string[] = []
    for (const [field, [request]] of Object.entries(fields)) {
      const { status, error } = await bodyFor(runtime, 'demo/tiny-chat', { max_tokens: 2, ...request })
      if (status !== 200) refused.push(`${field}: ${status} ${error?.code} ${error?.param}`)
    }
    expect(refused).toEqual([
      'audio: 400 unsupported_parameter audio',
      'messages with a file: 400 unsupported_parameter messages[0].content[1]',
      'messages with audio: 400 unsupported_parameter messages[0].content[1]',
      'messages with an image: 400 unsupported_parameter messages',
      'modalities: 400 unsupported_parameter modalities',
      'moderation: 400 unsupported_parameter moderation',
      'prediction: 400 unsupported_parameter prediction',
      'tool_choice of some tools: 400 unsupported_parameter tool_choice',
      'web_search_options: 400 unsupported_parameter web_search_options',
    ])
  }, 180_000)
})
