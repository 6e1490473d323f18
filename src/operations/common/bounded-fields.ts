import type { Unbounded } from '../../core/bounding.ts'
import { isObject, type JsonObject } from '../../wire/json.ts'

const words = (text: string) => text.split(/\s+/)

/** How a text is sampled, by the names of OpenAI's API and of other servers. None of it makes an answer cost more. */
export const samplingFields: readonly string[] = words(
  `temperature top_p top_k top_a min_p typical_p tfs_z seed random_seed stop stop_sequences stop_token_ids
  presence_penalty frequency_penalty repetition_penalty repeat_penalty repeat_last_n mirostat mirostat_eta mirostat_tau
  logit_bias logprobs top_logprobs min_tokens ignore_eos skip_special_tokens spaces_between_special_tokens
  include_stop_str_in_output guided_json guided_regex guided_choice guided_grammar structured_outputs grammar json_schema
  num_ctx keep_alive cache_prompt`,
)

/** Who asks, for which model, and how the answer is sent. */
export const frameFields: readonly string[] = words(
  `model models fallbacks provider disable_fallbacks providerOptions stream stream_options user safety_identifier metadata
  store service_tier prompt_cache_key prompt_cache_options prompt_cache_retention`,
)

/** How much is thought, which counts for the answer, and what a template is told. */
export const thinkingFields: readonly string[] = words(
  `reasoning_effort reasoning include_reasoning reasoning_format reasoning_split thinking think enable_thinking
  thinking_budget thinking_config chat_template chat_template_kwargs verbosity`,
)

/**
 * The first field of which nobody knows what it may cost: servers have ever more that add tools, searches and dearer ways
 * to be served. `isHarmless`: whether one that isn't among the known ones costs nothing as it is.
 */
export function fieldOutside(
  asked: JsonObject,
  known: ReadonlySet<string>,
  isHarmless: (name: string, value: unknown) => boolean = () => false,
): Unbounded | undefined {
  for (const name in asked) {
    const value = asked[name]
    if (value === undefined || value === null || known.has(name) || isHarmless(name, value)) continue
    return unknownField(name)
  }
  return undefined
}

export function unknownField(name: string): Unbounded {
  return { what: `the field \`${name.slice(0, 100)}\``, param: name }
}

/** What Anthropic's servers take out of a conversation: a compaction would be written by the model. */
export function onlyClears(management: unknown): boolean {
  const { edits } = isObject(management) ? management : {}
  return Array.isArray(edits) && edits.every((edit) => isObject(edit) && /^clear_/.test(String(edit.type)))
}
