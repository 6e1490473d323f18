import { isObject } from '../wire/json.ts'
import type { At, Notes } from './notes.ts'
import { isSecretName, looksSecret, secretWithin, variableIn } from './secrets.ts'
import type { Path } from './source.ts'

/** Request fields of OpenAI's API, and those that many servers have beside them. */
export const requestFields: ReadonlySet<string> = new Set(
  `temperature top_p top_k min_p max_tokens max_completion_tokens max_output_tokens stop seed n logprobs top_logprobs
  frequency_penalty presence_penalty repetition_penalty logit_bias response_format reasoning_effort reasoning thinking
  verbosity parallel_tool_calls tool_choice tools functions function_call stream_options stream user metadata store
  service_tier prompt_cache_key modalities audio prediction web_search_options dimensions encoding_format input_type voice
  instructions speed language size quality style num_ctx num_predict keep_alive think mirostat mirostat_eta mirostat_tau
  repeat_penalty repeat_last_n num_gpu num_thread num_batch safety_settings chat_template_kwargs guided_json
  guided_regex guided_choice ignore_eos skip_special_tokens min_tokens stop_token_ids typical_p tfs_z
  transforms models route provider plugins include_reasoning extra_query suffix best_of echo`.split(/\s+/),
)

/** Whether a value may be copied as a request field; told as lost if it holds what may be a secret. */
export function isCopied(value: unknown, path: Path, notes: Notes, at?: At): boolean {
  const name = path.at(-1)
  const isNamedSo = typeof name === 'string' && isSecretName(name) && typeof value !== 'boolean'
  if (!isNamedSo && !secretWithin(value)) {
    if (!namesVariable(value)) return true
    notes.lost(path, 'the value of a variable, which no request field can have here', at)
    return false
  }
  notes.lost(path, 'it may hold a secret, which is not copied', at)
  return false
}

function namesVariable(value: unknown): boolean {
  if (typeof value === 'string') return /^os\.environ\//.test(value)
  if (Array.isArray(value)) return value.some(namesVariable)
  return isObject(value) && Object.values(value).some(namesVariable)
}

/** A provider's headers: secrets by the names of variables. Those that can't be carried are told as lost. */
export function headersOf(value: unknown, path: Path, notes: Notes, at: At): Record<string, string> {
  if (!isObject(value)) {
    if (value !== undefined) notes.lost(path, 'no object of headers', at)
    return {}
  }
  const headers: Record<string, string> = {}
  for (const [name, text] of Object.entries(value)) {
    const place = [...path, name]
    const told = typeof text === 'number' || typeof text === 'boolean' ? String(text) : text
    const variable = typeof told === 'string' ? variableIn(told) : undefined
    const reason =
      typeof told !== 'string' || !/^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/.test(told)
        ? 'no text that a header can have'
        : !/^[\w-]+$/.test(name) || owned.test(name)
          ? 'a header that HTTP sets itself'
          : variable === undefined &&
              (isSecretName(name) || /auth|key|token|secret|cookie/i.test(name) || looksSecret(told))
            ? 'a header that is written out and may be a secret: name its variable here, "env:NAME"'
            : undefined
    if (reason !== undefined) notes.lost(place, reason, at)
    else {
      notes.carried(place)
      headers[name.toLowerCase()] = variable === undefined ? String(told) : `env:${variable}`
    }
  }
  return headers
}

const owned =
  /^(connection|content-(encoding|length)|expect|host|http2-settings|keep-alive|proxy-connection|te|trailer|transfer-encoding|upgrade|x-samewire-.*)$/i
