import type { ProviderConfig } from '../../src/config/schema.ts'
import llamaServer from '../fixtures/llama-server-0.7.0.json' with { type: 'json' }
import ollamaNative from '../fixtures/ollama-0.32.15-native.json' with { type: 'json' }
import ollamaV1 from '../fixtures/ollama-0.32.15-v1.json' with { type: 'json' }
import transformersServe from '../fixtures/transformers-serve-5.12.1.json' with { type: 'json' }
import { anthropicCases, anthropicName } from '../support/anthropic-recordings.ts'
import type { MadeUp } from '../support/exchange.ts'
import { geminiCases, geminiName } from '../support/gemini-recordings.ts'
import { anthropicWire, geminiWire, ollamaWire, type Wire } from './wires.ts'

export interface Recording {
  readonly label: string
  readonly request: { readonly body: unknown }
  readonly response: { readonly status: number; readonly body: string }
}

export interface Recordings {
  readonly name: string
  readonly cases: readonly Recording[]
}

/** A provider as it is configured, and what is known of the server that it is held against. */
export interface Subject {
  readonly name: string
  readonly provider: ProviderConfig
  /** Absent: it answers in the process, and `recordings` say what another server made of the same weights. */
  readonly address?: (exchange: string) => Readonly<Record<string, string>>
  readonly recordings: Recordings
  /** Absent: it speaks as OpenAI does. */
  readonly wire?: Wire
  readonly model: string
  /** Whether answers pass as they are, get what clients insist on, or are translated. */
  readonly answers: 'untouched' | 'repaired' | 'translated'
  /** Whether requests reach the upstream as the client's bytes. */
  readonly requests: 'untouched' | 'translated'
  readonly completions?: 'untouched' | 'repaired' | 'translated'
  /** Recorded labels by the label of the client's request; whole, each with a `_stream` beside it. */
  readonly chats: Readonly<Record<string, string>>
  readonly completion: readonly [whole: string, stream: string] | undefined
  readonly missing: readonly Missing[]
  readonly overflow: MadeUp | string
  /** Fields that are refused by name instead of being ignored. */
  readonly refuses: readonly (readonly [param: string, fields: Readonly<Record<string, unknown>>])[]
  /** Whether the server sends calls as the text that its model wrote. */
  readonly textual?: boolean
  /** Whether the server was recorded with a list that names the model. */
  readonly lists: boolean
  /** Whether a name that is not on its list is missing. */
  readonly listedOnly?: boolean
}

export interface Missing {
  readonly said: string
  readonly answer: MadeUp | string
  /** What `x-samewire-reason` says. */
  readonly reason: string
}

const tools = [{ type: 'function', function: { name: 'f', parameters: { type: 'object', properties: {} } } }]

function made(status: number, body: unknown): MadeUp {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const type = typeof body === 'string' ? 'text/plain; charset=utf-8' : 'application/json'
  return { status, headers: { 'content-type': type }, body: text }
}

const same = (...labels: string[]) => Object.fromEntries(labels.map((label) => [label, label]))

const all = same(
  'chat',
  'chat_length',
  'chat_stop_seq',
  'chat_n2',
  'chat_logprobs',
  'chat_tool',
  'chat_tool_required',
  'chat_tool_parallel',
  'chat_tool_result',
  'chat_reasoning',
  'chat_json_object',
  'chat_json_schema',
  'chat_parts',
  'chat_developer_role',
  'chat_max_completion_tokens',
  'chat_unknown_param',
)

const without = (...labels: string[]) =>
  Object.fromEntries(Object.entries(all).filter(([key]) => !labels.includes(key)))

const routerMode: Missing = {
  said: "llama-server's router mode",
  answer: made(400, {
    error: { code: 400, message: "model 'davinci-codex' not found", type: 'invalid_request_error' },
  }),
  reason: 'model_not_found',
}

const v1 = (exchange: string) => ({ baseURL: `${exchange}/v1` })
const endpoint = (exchange: string) => ({ endpointUrl: exchange })

const onLlamaServer = {
  recordings: llamaServer as Recordings,
  model: 'tiny-chat',
  answers: 'untouched',
  requests: 'untouched',
  chats: all,
  completion: ['completions', 'completions_stream'],
  missing: [routerMode],
  overflow: 'err_context',
  refuses: [],
  lists: true,
} as const satisfies Partial<Subject>

/** Every provider that has a wire of its own, against every server that it was recorded with. */
export const subjects: readonly Subject[] = [
  {
    ...onLlamaServer,
    name: 'openai',
    provider: { type: 'openai' },
    address: v1,
    missing: [
      {
        said: 'OpenAI',
        answer: made(404, {
          error: {
            message: 'The model `davinci-codex` does not exist or you do not have access to it.',
            type: 'invalid_request_error',
            param: null,
            code: 'model_not_found',
          },
        }),
        reason: 'model_not_found',
      },
      {
        said: 'Azure',
        answer: made(404, {
          error: { code: 'DeploymentNotFound', message: 'The API deployment for this resource does not exist.' },
        }),
        reason: 'model_not_found',
      },
    ],
  },
  {
    ...onLlamaServer,
    name: 'openai-compatible, a llama-server',
    provider: { type: 'openai-compatible' },
    address: v1,
  },
  {
    ...onLlamaServer,
    name: "openai-compatible, Ollama's /v1",
    provider: { type: 'openai-compatible' },
    address: v1,
    recordings: ollamaV1 as Recordings,
    // It makes one choice, and the gateway asks for the other.
    chats: without('chat_n2'),
    missing: [{ said: "Ollama's /v1", answer: 'err_model', reason: 'model_not_found' }],
  },
  {
    ...onLlamaServer,
    name: 'llamacpp',
    listedOnly: true,
    provider: { type: 'llamacpp' },
    address: v1,
    completions: 'repaired',
  },
  {
    ...onLlamaServer,
    name: 'huggingface, the router',
    provider: { type: 'huggingface' },
    address: (exchange) => ({ ...v1(exchange), hubUrl: exchange }),
    // It is asked for one choice at once.
    chats: without('chat_n2'),
    completion: undefined,
    missing: [
      {
        said: 'the router',
        answer: made(400, {
          error: { message: "The requested model 'davinci-codex' is not supported by any provider you have enabled." },
        }),
        reason: 'no_endpoints',
      },
      {
        said: 'a provider behind the router',
        answer: made(400, { error: 'Model not supported by provider together' }),
        reason: 'no_endpoints',
      },
    ],
    lists: false,
  },
  {
    ...onLlamaServer,
    name: 'huggingface, an endpoint with llama.cpp',
    provider: { type: 'huggingface', engine: 'llamacpp' },
    address: endpoint,
    answers: 'repaired',
  },
  {
    ...onLlamaServer,
    name: 'huggingface, an endpoint with TGI',
    provider: { type: 'huggingface', engine: 'tgi' },
    address: endpoint,
    answers: 'repaired',
    requests: 'translated',
    chats: without('chat_n2'),
    missing: [
      {
        said: 'a paused endpoint',
        answer: made(400, { error: 'Bad Request: The endpoint is paused, ask a maintainer to restart it' }),
        reason: 'no_endpoints',
      },
      { said: 'a retired host', answer: made(410, 'Gone'), reason: 'model_deprecated' },
    ],
    overflow: made(422, {
      error: 'Input validation error: `inputs` must have less than 2048 tokens. Given: 24012',
      error_type: 'validation',
    }),
    refuses: [['logit_bias', { logit_bias: { 5: -100 } }]],
  },
  {
    ...onLlamaServer,
    name: 'huggingface, an endpoint with transformers',
    provider: { type: 'huggingface', engine: 'transformers' },
    address: endpoint,
    recordings: transformersServe as Recordings,
    model: 'hf-tiny-chat',
    textual: true,
    answers: 'repaired',
    requests: 'translated',
    // Its engine does not do these, and answers 422 to what it does not know: the gateway keeps them from it.
    chats: without(
      'chat_n2',
      'chat_logprobs',
      'chat_stop_seq',
      'chat_json_object',
      'chat_json_schema',
      'chat_tool_required',
      'chat_unknown_param',
    ),
    missing: [
      { said: 'a pinned server', answer: 'err_model', reason: 'model_not_found' },
      {
        said: 'a server that loads on demand',
        answer: made(500, 'Internal Server Error'),
        reason: 'model_not_found',
      },
    ],
    overflow: made(400, { detail: 'This prompt is longer than the context length of 2048 tokens.' }),
    refuses: [
      ['logprobs', { logprobs: true }],
      ['stop', { stop: ['x'] }],
      ['tool_choice', { tools, tool_choice: 'required' }],
    ],
    lists: false,
  },
  {
    ...onLlamaServer,
    name: 'ollama',
    provider: { type: 'ollama' },
    address: (baseURL) => ({ baseURL }),
    recordings: ollamaNative as Recordings,
    wire: ollamaWire,
    answers: 'translated',
    requests: 'translated',
    chats: {
      ...same('chat', 'chat_length', 'chat_logprobs', 'chat_tool', 'chat_tool_parallel', 'chat_tool_result'),
      chat_reasoning: 'chat_think',
      chat_json_schema: 'chat_format',
      chat_json_object: 'chat_json',
    },
    completion: ['generate', 'generate_stream'],
    missing: [
      { said: 'Ollama', answer: 'err_model', reason: 'model_unavailable_upstream' },
      {
        said: 'Ollama, of a name that can be none',
        answer: made(400, { error: 'invalid model name' }),
        reason: 'model_not_found',
      },
      {
        said: 'Ollama, with its cloud off',
        answer: made(403, { error: 'ollama cloud is disabled: remote model is unavailable' }),
        reason: 'no_endpoints',
      },
    ],
    refuses: [
      ['tool_choice', { tools, tool_choice: 'required' }],
      ['logit_bias', { logit_bias: { 5: -100 } }],
    ],
  },
  {
    ...onLlamaServer,
    name: "ollama with api: 'openai'",
    provider: { type: 'ollama', api: 'openai' },
    address: (baseURL) => ({ baseURL }),
    recordings: ollamaV1 as Recordings,
    requests: 'translated',
    chats: without('chat_n2', 'chat_tool_required'),
    missing: [{ said: "Ollama's /v1", answer: 'err_model', reason: 'model_unavailable_upstream' }],
    refuses: [['tool_choice', { tools, tool_choice: 'required' }]],
    lists: false,
  },
  {
    ...onLlamaServer,
    name: 'anthropic',
    provider: { type: 'anthropic' },
    address: (baseURL) => ({ baseURL }),
    recordings: { name: anthropicName, cases: anthropicCases },
    wire: anthropicWire,
    answers: 'translated',
    requests: 'translated',
    // It makes one choice, no log probabilities, and knows no seed, which is in the last of these.
    chats: without('chat_n2', 'chat_logprobs', 'chat_unknown_param'),
    missing: [
      {
        said: 'Anthropic',
        answer: made(404, {
          type: 'error',
          error: { type: 'not_found_error', message: 'model: davinci-codex' },
          request_id: 'req_011CSHoEeqs5C35K2UUqR7Fy',
        }),
        reason: 'model_not_found',
      },
    ],
    overflow: made(400, {
      type: 'error',
      error: { type: 'invalid_request_error', message: 'prompt is too long: 24012 tokens > 2048 maximum' },
    }),
    refuses: [
      ['logit_bias', { logit_bias: { 5: -100 } }],
      ['logprobs', { logprobs: true }],
      ['stop', { stop: [' '] }],
    ],
    lists: false,
  },
  {
    ...onLlamaServer,
    name: 'gemini',
    provider: { type: 'gemini' },
    address: (baseURL) => ({ baseURL }),
    recordings: { name: geminiName, cases: geminiCases },
    wire: geminiWire,
    answers: 'translated',
    requests: 'translated',
    // It is asked for one choice at once.
    chats: without('chat_n2'),
    missing: [
      {
        said: 'Gemini',
        answer: made(404, {
          error: {
            code: 404,
            message:
              'models/davinci-codex is not found for API version v1beta, or is not supported for generateContent. Call ListModels to see the list of available models and their supported methods.',
            status: 'NOT_FOUND',
          },
        }),
        reason: 'model_not_found',
      },
    ],
    overflow: made(400, {
      error: {
        code: 400,
        message: 'The input token count (24012) exceeds the maximum number of tokens allowed (2048).',
        status: 'INVALID_ARGUMENT',
      },
    }),
    refuses: [
      ['presence_penalty', { presence_penalty: 1 }],
      ['logit_bias', { logit_bias: { 5: -100 } }],
      ['modalities', { modalities: ['text', 'audio'], audio: { voice: 'alloy', format: 'wav' } }],
    ],
    lists: false,
  },
  {
    ...onLlamaServer,
    name: 'embedded',
    provider: { type: 'embedded' },
    answers: 'translated',
    requests: 'translated',
    chats: same('chat', 'chat_length', 'chat_tool', 'chat_tool_parallel', 'chat_reasoning'),
    completion: undefined,
    missing: [],
    overflow: 'err_context',
    refuses: [['response_format', { response_format: { type: 'grammar' } }]],
  },
]

/** The request of a recorded exchange as OpenAI's clients write it, for servers that were asked in another way. */
export const openaiRequests = llamaServer as Recordings

export { made }
