import { isObject, type JsonObject, objectAt } from '../wire/json.ts'

/** The tokens of one answer, whatever the names that its API has for them. */
export interface Tokens {
  /** All of the prompt, those included that were read from a cache or written to one. */
  readonly input: number
  /** All of the answer, those of its reasoning included. */
  readonly output: number
  /** Of `input`, those that were read from a cache. */
  readonly cached: number
  /** Of `output`. */
  readonly reasoning: number
  /** Absent: it is all text, and nothing is known to have been written to a cache. */
  readonly parts?: TokenParts
}

/** What some of the tokens are. */
export interface TokenParts {
  /** Of `input`: written to a cache, and of those the ones that are to be kept for an hour. */
  readonly cacheWrite: number
  readonly cacheWrite1h: number
  /** Of `input`, and of those the ones that were read from a cache. */
  readonly audioInput: number
  readonly cachedAudioInput: number
  readonly imageInput: number
  readonly cachedImageInput: number
  /** Of `output`. */
  readonly audioOutput: number
  readonly imageOutput: number
}

/**
 * Reads usage as OpenAI's APIs, Anthropic, Gemini or Ollama tell it, and those like them. Undefined if it says nothing of
 * tokens, or only of one side: nothing is not the same as none.
 */
export function tokensOf(usage: JsonObject): Tokens | undefined {
  const { prompt_tokens: prompt, completion_tokens: completion, input_tokens: input, output_tokens: output } = usage
  if (isCount(prompt) || isCount(completion)) return openaiTokens(usage, ofChats)
  // A cache is what Anthropic counts beside the input, and OpenAI within it.
  if (isCount(usage.cache_read_input_tokens) || isCount(usage.cache_creation_input_tokens))
    return anthropicTokens(usage)
  if (isCount(input) || isCount(output)) return openaiTokens(usage, ofOthers)
  if (isCount(usage.promptTokenCount)) return geminiTokens(usage)
  const { prompt_eval_count: read, eval_count: written } = usage
  if (!isCount(read) && !isCount(written)) return undefined
  return { input: count(read), output: count(written), cached: 0, reasoning: 0 }
}

/** What OpenAI calls the two sides, and their details. */
const ofChats = {
  ...{ before: 'prompt_tokens', after: 'completion_tokens' },
  ...{ ins: ['prompt_tokens_details'], outs: ['completion_tokens_details'] },
} as const

/** Of responses, images and transcriptions; these and realtime answers leave out an s. */
const ofOthers = {
  ...{ before: 'input_tokens', after: 'output_tokens' },
  ...{ ins: ['input_tokens_details', 'input_token_details'], outs: ['output_tokens_details', 'output_token_details'] },
} as const

function openaiTokens(usage: JsonObject, names: typeof ofChats | typeof ofOthers): Tokens | undefined {
  const { total_tokens: total } = usage
  const [before, after] = [usage[names.before], usage[names.after]]
  // Of two of the three the other one follows.
  const known = Number(isCount(before)) + Number(isCount(after)) + Number(isCount(total))
  if (known < 2 || isWrong(before) || isWrong(after)) return undefined
  const ins = details(usage, names.ins)
  const outs = details(usage, names.outs)
  const heard = objectAt(ins, 'cached_tokens_details') ?? none
  const written = objectAt(ins, 'cache_creation_token_details') ?? none
  const input = isCount(before) ? count(before) : Math.max(0, count(total) - count(after))
  const reasoning = count(outs.reasoning_tokens ?? outs.thinking_tokens)
  return withParts(
    {
      input,
      // xAI, and Google in OpenAI's terms, count reasoning in the total only.
      output: Math.max(count(after), count(total) - input),
      // Moonshot's name, and DeepSeek's.
      cached: count(ins.cached_tokens ?? usage.cached_tokens ?? usage.prompt_cache_hit_tokens),
      reasoning,
    },
    {
      cacheWrite: count(ins.cache_write_tokens),
      cacheWrite1h: count(written.ephemeral_1h_input_tokens),
      audioInput: count(ins.audio_tokens),
      cachedAudioInput: count(heard.audio_tokens),
      imageInput: count(ins.image_tokens),
      cachedImageInput: count(heard.image_tokens),
      audioOutput: count(outs.audio_tokens),
      imageOutput: count(outs.image_tokens),
    },
  )
}

function details(usage: JsonObject, names: readonly string[]): JsonObject {
  for (const name of names) {
    const found = usage[name]
    if (isObject(found)) return found
  }
  return none
}

const none: JsonObject = {}

/** https://platform.claude.com/docs/en/build-with-claude/prompt-caching#tracking-cache-performance */
function anthropicTokens(usage: JsonObject): Tokens {
  const cached = count(usage.cache_read_input_tokens)
  const written = objectAt(usage, 'cache_creation') ?? {}
  const cacheWrite1h = count(written.ephemeral_1h_input_tokens)
  const cacheWrite = Math.max(
    count(usage.cache_creation_input_tokens),
    cacheWrite1h + count(written.ephemeral_5m_input_tokens),
  )
  return withParts(
    {
      input: count(usage.input_tokens) + cached + cacheWrite,
      output: count(usage.output_tokens),
      cached,
      reasoning: count(details(usage, ofOthers.outs).thinking_tokens),
    },
    { ...noParts, cacheWrite, cacheWrite1h },
  )
}

/** https://ai.google.dev/api/generate-content#UsageMetadata */
function geminiTokens(usage: JsonObject): Tokens {
  const reasoning = count(usage.thoughtsTokenCount)
  return withParts(
    {
      // What its own tools read is input beside the prompt.
      input: count(usage.promptTokenCount) + count(usage.toolUsePromptTokenCount),
      output: count(usage.candidatesTokenCount) + reasoning,
      cached: count(usage.cachedContentTokenCount),
      reasoning,
    },
    {
      ...noParts,
      audioInput: ofModality(usage.promptTokensDetails, 'AUDIO'),
      cachedAudioInput: ofModality(usage.cacheTokensDetails, 'AUDIO'),
      imageInput: ofModality(usage.promptTokensDetails, 'IMAGE'),
      cachedImageInput: ofModality(usage.cacheTokensDetails, 'IMAGE'),
      audioOutput: ofModality(usage.candidatesTokensDetails, 'AUDIO'),
      imageOutput: ofModality(usage.candidatesTokensDetails, 'IMAGE'),
    },
  )
}

function ofModality(list: unknown, modality: string): number {
  const all = Array.isArray(list) ? list.filter(isObject).filter((one) => one.modality === modality) : []
  return all.reduce((sum, { tokenCount }) => sum + count(tokenCount), 0)
}

export const noParts: TokenParts = {
  ...{ cacheWrite: 0, cacheWrite1h: 0, audioInput: 0, cachedAudioInput: 0, imageInput: 0, cachedImageInput: 0 },
  ...{ audioOutput: 0, imageOutput: 0 },
}

function withParts(tokens: Tokens, parts: TokenParts): Tokens {
  const { cacheWrite, cacheWrite1h, audioInput, imageInput, audioOutput, imageOutput } = parts
  return cacheWrite + cacheWrite1h + audioInput + imageInput + audioOutput + imageOutput > 0
    ? { ...tokens, parts }
    : tokens
}

/** Servers that count wrongly must not make a sum that is no number, or a credit. */
function isCount(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value < Number.MAX_SAFE_INTEGER
}

/** Says that the server counts wrongly. */
function isWrong(value: unknown): boolean {
  return value !== undefined && value !== null && !isCount(value)
}

function count(value: unknown): number {
  return isCount(value) ? Math.ceil(value) : 0
}
