import type { EmbedRequest, EmbedResponse } from 'ollama/browser'
import type { WireContext } from '../../src/core/provider.ts'
import { inputsOf } from '../../src/operations/embeddings/request.ts'
import { invalid } from '../../src/wire/body.ts'
import { GatewayError } from '../../src/wire/errors.ts'
import type { JsonObject } from '../../src/wire/json.ts'
import { servedModel } from './answer.ts'
import { incapable, modelOptionsOf, passedOn } from './options.ts'

type Field = keyof EmbedRequest | keyof EmbedResponse

/** The body for `/api/embed`. A text that is too long is an error, as with OpenAI: by itself Ollama would cut it. */
export function embedRequest({ body, model }: WireContext): JsonObject {
  const { encoding_format: _, ...rest } = passedOn(body)
  return {
    ...rest,
    model,
    input: textsOf(body),
    ['truncate' satisfies Field]: body.truncate ?? false,
    options: modelOptionsOf(body),
  }
}

/** Embeddings on Ollama's own `/v1`, which always cuts a text that is too long. */
export function openaiEmbeddingsRequest({ body }: WireContext): JsonObject {
  textsOf(body)
  return body
}

export function embedAnswer(answer: JsonObject, context: WireContext): JsonObject {
  const vectors = answer['embeddings' satisfies Field]
  if (!Array.isArray(vectors)) throw new GatewayError('protocol', 'Ollama sent an answer without embeddings.')
  const tokens = answer['prompt_eval_count' satisfies Field]
  return {
    object: 'list',
    data: vectors.map((embedding, index) => ({ object: 'embedding', index, embedding })),
    model: servedModel(answer, context),
    ...(isCount(tokens) && { usage: { prompt_tokens: tokens, total_tokens: tokens } }),
  }
}

const isCount = (value: unknown) => typeof value === 'number' && value > 0

function textsOf(body: JsonObject): readonly string[] {
  const inputs = inputsOf(body) ?? []
  if (!inputs.every((input) => typeof input === 'string')) throw incapable('input', 'Ollama embeds texts, not tokens.')
  // It takes this for a request to load the model, and answers without a vector.
  if (inputs.length === 1 && inputs[0] === '') {
    throw invalid(
      "'$.input' is invalid. Please check the API reference: https://platform.openai.com/docs/api-reference.",
    )
  }
  return inputs
}
