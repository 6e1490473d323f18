import type { OperationName } from '../operations/facts.ts'
import { dollarsOf } from '../prices/money.ts'
import type { RequestRow } from '../state/ledger.ts'
import { tryParse } from '../wire/json.ts'

/** What is shown of a row. Money in dollars; null is what isn't known. */
const fields: Readonly<Record<string, (row: RequestRow) => unknown>> = {
  id: ({ id }) => id,
  created_at: ({ at }) => new Date(at).toISOString(),
  api_key_id: ({ key }) => key,
  api_key_name: ({ keyName }) => keyName,
  project_id: ({ project }) => project,
  user_id: ({ user }) => user,
  end_user: ({ endUser }) => endUser,
  operation: ({ operation }) => operation,
  model: ({ model }) => model,
  deployment: ({ deployment }) => deployment,
  status: ({ status }) => status,
  outcome: ({ outcome }) => outcome,
  stream: ({ stream }) => stream,
  input_tokens: ({ input }) => input,
  input_cached_tokens: ({ cached }) => cached,
  output_tokens: ({ output }) => output,
  output_reasoning_tokens: ({ reasoning }) => reasoning,
  cost: ({ cost }) => (cost === null ? null : dollarsOf(cost)),
  booked: ({ booked }) => dollarsOf(booked),
  saved: ({ saved }) => dollarsOf(saved),
  usage_source: ({ usageSource }) => usageSource,
  price_source: ({ priceSource }) => priceSource,
  duration_ms: ({ ms }) => ms,
  first_ms: ({ firstMs }) => firstMs,
  attempts: ({ attempts }) => tryParse(attempts) ?? [],
  cache: ({ cache }) => cache,
  metadata: ({ metadata }) => (metadata === null ? null : (tryParse(metadata) ?? null)),
  unchecked: ({ unchecked }) => unchecked,
}

export const requestFields = Object.keys(fields)

/** A row of the ledger for who looks after the gateway. */
export function requestObject(row: RequestRow): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).map(([name, read]) => [name, read(row)]))
}

/** What OpenRouter calls what was asked for; others have no name there. */
const apiTypes: Readonly<Record<string, string>> = {
  chat: 'completions',
  completions: 'completions',
  responses: 'completions',
  embeddings: 'embeddings',
  rerank: 'rerank',
  speech: 'tts',
  transcriptions: 'stt',
  images: 'image',
  imageEdits: 'image',
} satisfies Partial<Record<OperationName, string>>

/** The same as OpenRouter's clients read it. */
export function generationObject(row: RequestRow) {
  const cost = row.cost === null ? null : dollarsOf(row.cost)
  return {
    ...requestObject(row),
    ...unknownHere,
    api_type: apiTypes[row.operation ?? ''] ?? null,
    cancelled: row.outcome === 'gone',
    external_user: row.endUser,
    generation_time: row.ms - (row.firstMs ?? 0),
    latency: row.ms,
    model: row.model ?? '',
    native_tokens_cached: row.cached,
    native_tokens_completion: row.output,
    native_tokens_prompt: row.input,
    native_tokens_reasoning: row.reasoning,
    provider_name: row.deployment?.split('/', 1)[0] ?? null,
    request_id: row.id,
    streamed: row.stream,
    tokens_completion: row.output,
    tokens_prompt: row.input,
    total_cost: cost,
    usage: cost,
    workspace_id: row.project,
  }
}

/** What its clients need to find, and the gateway doesn't know. */
const unknownHere = {
  app_id: null,
  cache_discount: null,
  data_region: 'global',
  finish_reason: null,
  http_referer: null,
  is_byok: false,
  moderation_latency: null,
  native_finish_reason: null,
  native_tokens_completion_images: null,
  num_fetches: null,
  num_input_audio_prompt: null,
  num_media_completion: null,
  num_media_prompt: null,
  num_search_results: null,
  origin: '',
  preset_id: null,
  provider_responses: null,
  router: null,
  service_tier: null,
  upstream_id: null,
  upstream_inference_cost: null,
  user_agent: null,
  web_search_engine: null,
}
