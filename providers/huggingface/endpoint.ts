import type { OperationSpecs, ProviderSettings } from '../../src/core/provider.ts'
import { valueIn, without } from '../../src/core/synonyms.ts'
import { openaiOperations } from '../../src/operations/index.ts'
import { repaired } from '../../src/operations/repair/repaired.ts'
import { type JsonObject, objectAt } from '../../src/wire/json.ts'
import { lacking, openaiOnly, toolChoices } from '../lacks.ts'
import { llamacppOperations } from '../llamacpp.ts'
import { vllmOperations } from '../vllm.ts'
import { media } from './media.ts'
import { teiRerank } from './rerank.ts'

/** TEI's own limit, unless `--max-client-batch-size` says otherwise. */
const teiBatch = 32

/** What a dedicated endpoint serves depends on its engine. */
export function endpointOperations({ options }: ProviderSettings): OperationSpecs {
  const { chat, completions, embeddings, transcriptions, rerank } = openaiOperations
  switch (options.engine) {
    case 'tei':
      return { embeddings: { ...embeddings, atOnce: { inputs: teiBatch } }, rerank: teiRerank }
    case 'toolkit':
      return media
    case 'vllm':
      return vllmOperations
    case 'llamacpp':
      return { ...llamacppOperations, chat: repaired(llamacppOperations.chat) }
    case 'tgi':
      return {
        chat: repaired({ ...lacking(chat, ...lacksInTGI), encode: ({ body }) => withOneName(body) }),
        completions: repaired({
          ...lacking(completions, ...lacksInTGI, 'best_of', 'echo', 'logprobs', 'presence_penalty'),
          encode: ({ body }) => withOneName(body),
        }),
      }
    case 'transformers':
      return {
        chat: repaired({ ...lacking(chat, ...lacksInTransformers), encode: ({ body }) => forTransformers(body) }),
        completions: repaired({
          ...lacking(completions, ...lacksInTransformers, 'best_of', 'echo', 'suffix'),
          encode: ({ body }) => forTransformers(body),
        }),
        transcriptions,
      }
    default:
      return {
        // Whichever it is, it takes tools.
        chat: repaired(lacking(chat, 'functions')),
        completions: repaired(completions),
        embeddings,
        transcriptions,
        rerank,
      }
  }
}

/** Its schema says of the first two that they are unused, and doesn't know the others. */
const lacksInTGI = ['n', 'logit_bias', 'single_call', ...openaiOnly] as const

/**
 * `transformers serve` names most of these itself in `UNUSED_CHAT_COMPLETION_FIELDS` (cli/serving/utils.py); that it
 * ignores `response_format` and `logprobs` and leaves a stop in the text was measured with 5.12.1.
 */
const lacksInTransformers = [
  ...openaiOnly,
  'n',
  'logprobs',
  'logit_bias',
  'stop',
  'presence_penalty',
  'json_object',
  'json_schema',
  ...toolChoices,
  'files',
] as const

/**
 * `transformers serve` answers 422 to any field that isn't OpenAI's, and ignores most of OpenAI's. It would offer the
 * tools whatever the choice.
 */
function forTransformers(body: JsonObject): JsonObject {
  const { tools: _, ...toolless } = body
  const known = Object.entries(withOneName(body.tool_choice === 'none' ? toolless : body))
  return Object.fromEntries(known.filter(([key]) => transformersFields.has(key)))
}

const transformersFields = new Set(
  (
    'model messages prompt stream stream_options temperature top_p max_tokens seed frequency_penalty presence_penalty ' +
    'tools user metadata n'
  ).split(' '),
)

/** Both engines know a limit as `max_tokens` and stops as `stop` only. */
function withOneName(body: JsonObject): JsonObject {
  const limit = valueIn(body, 'limit') ?? valueIn(objectAt(body, 'options'), 'limit')
  const stop = valueIn(body, 'stop') ?? valueIn(objectAt(body, 'options'), 'stop')
  return {
    ...without(body, 'limit', 'stop'),
    ...(limit !== undefined && { max_tokens: limit }),
    ...(stop !== undefined && { stop }),
  }
}
