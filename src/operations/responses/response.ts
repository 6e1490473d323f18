import { isObject, type JsonObject, objectAt } from '../../wire/json.ts'

/** What identifies a response. */
export interface Head {
  readonly id: string
  /** Seconds. */
  readonly created: number
  readonly model: string
  /** The service tier. */
  readonly tier: string
}

/** What a chat's answer or chunk tells about itself. */
export function toldIn({ model, service_tier: tier }: JsonObject, head: Head): Head {
  return {
    ...head,
    ...(typeof model === 'string' && { model }),
    ...(typeof tier === 'string' && { tier }),
  }
}

/** How a response stands. */
export interface State {
  readonly status: 'in_progress' | 'completed' | 'incomplete' | 'failed'
  readonly output: readonly JsonObject[]
  readonly usage?: JsonObject | undefined
  /** Seconds; undefined until it is over. */
  readonly completed?: number | undefined
  readonly error?: JsonObject
  /** Why it is incomplete. */
  readonly reason?: string | undefined
}

/** A response, with what was asked for, as clients expect to read it back. */
export function responseOf(asked: JsonObject, { id, created, model, tier }: Head, state: State): JsonObject {
  const { status, output, usage, error, reason, completed } = state
  const text = objectAt(asked, 'text')
  return {
    id,
    object: 'response',
    created_at: created,
    completed_at: status === 'completed' ? (completed ?? created) : null,
    status,
    background: false,
    error: error ?? null,
    incomplete_details: reason === undefined ? null : { reason },
    instructions: asked.instructions ?? null,
    max_output_tokens: asked.max_output_tokens ?? null,
    max_tool_calls: asked.max_tool_calls ?? null,
    model,
    output,
    parallel_tool_calls: asked.parallel_tool_calls ?? true,
    previous_response_id: null,
    prompt_cache_key: asked.prompt_cache_key ?? null,
    reasoning: { effort: null, summary: null, ...objectAt(asked, 'reasoning') },
    safety_identifier: asked.safety_identifier ?? null,
    service_tier: tier,
    // There is no store: what a client asks for is not what it gets.
    store: false,
    temperature: asked.temperature ?? 1,
    presence_penalty: asked.presence_penalty ?? 0,
    frequency_penalty: asked.frequency_penalty ?? 0,
    text: { ...text, format: text?.format ?? { type: 'text' } },
    tool_choice: asked.tool_choice ?? 'auto',
    tools: Array.isArray(asked.tools) ? asked.tools.map(echoed) : [],
    top_logprobs: asked.top_logprobs ?? 0,
    top_p: asked.top_p ?? 1,
    truncation: 'disabled',
    usage: usage ? usageOf(usage) : null,
    ...(typeof asked.user === 'string' && { user: asked.user }),
    metadata: asked.metadata ?? {},
  }
}

/** A tool with every field that clients expect of a function. */
function echoed(tool: unknown): unknown {
  if (!isObject(tool) || tool.type !== 'function') return tool
  return { description: null, parameters: null, strict: null, ...tool }
}

/** Why a chat's finish leaves a response incomplete. */
const reasons: Readonly<Record<string, string>> = { length: 'max_output_tokens', content_filter: 'content_filter' }

/** How a response stands after a chat's finish. */
export function endOf(finish: unknown) {
  const reason = reasons[String(finish)]
  return { status: reason === undefined ? 'completed' : 'incomplete', reason } as const
}

function usageOf(usage: JsonObject): JsonObject {
  const { prompt_tokens: input, completion_tokens: output, total_tokens: total } = usage
  const ins = objectAt(usage, 'prompt_tokens_details')
  const outs = objectAt(usage, 'completion_tokens_details')
  return {
    input_tokens: numberOf(input),
    input_tokens_details: {
      cached_tokens: numberOf(ins?.cached_tokens),
      cache_write_tokens: numberOf(ins?.cache_write_tokens),
    },
    output_tokens: numberOf(output),
    output_tokens_details: { reasoning_tokens: numberOf(outs?.reasoning_tokens) },
    total_tokens: typeof total === 'number' ? total : numberOf(input) + numberOf(output),
  }
}

function numberOf(value: unknown): number {
  return typeof value === 'number' ? value : 0
}

/** The codes that clients know: OpenAI's specification, and those that Codex acts on. */
const codes: ReadonlySet<unknown> = new Set([
  ...['server_error', 'rate_limit_exceeded', 'invalid_prompt', 'data_residency_mismatch', 'bio_policy'],
  ...['vector_store_timeout', 'invalid_image', 'invalid_image_format', 'invalid_base64_image', 'invalid_image_url'],
  ...['image_too_large', 'image_too_small', 'image_parse_error', 'image_content_policy_violation'],
  ...['invalid_image_mode', 'image_file_too_large', 'unsupported_image_media_type', 'empty_image_file'],
  ...['failed_to_download_image', 'image_file_not_found'],
  ...['context_length_exceeded', 'insufficient_quota', 'usage_not_included'],
])

/** A response's error for that of an envelope. Clients such as Codex try again after all that they don't know better. */
export function errorOf(error: unknown): JsonObject {
  const { code, type, message } = isObject(error) ? error : { code: null, type: null, message: String(error) }
  if (codes.has(code)) return { code, message }
  return { code: type === 'invalid_request_error' ? 'invalid_prompt' : 'server_error', message }
}
