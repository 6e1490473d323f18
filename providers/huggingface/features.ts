import type { OperationSpec, ProviderSettings, WireContext } from '../../src/core/provider.ts'
import { inputsOf } from '../../src/operations/embeddings/request.ts'
import { GatewayError, unknownModel } from '../../src/wire/errors.ts'
import type { JsonObject } from '../../src/wire/json.ts'

const path = '/hf-inference/models/{model}/pipeline/feature-extraction'

/**
 * Embeddings from the router, which has no OpenAI route for them: feature extraction by Hugging Face's own servers. They
 * tell no usage, and answer with a bare list.
 * https://huggingface.co/docs/inference-providers/tasks/feature-extraction
 */
export const featureExtraction: OperationSpec = { path, encode, decode, list: 'vectors', atOnce: { inputs: 32 } }

/** The URL of a path that begins at the router's root and names the model. */
export function routerURL({ baseURL }: ProviderSettings, path: string, model: string): string {
  const id = hostedModel(model)
  // URL parsers would take `..` for the parent path, and the token would go to another route.
  if (!isId.test(id)) throw unknownModel(model, 'not_found')
  return baseURL.replace(/\/v1$/, '') + path.replace('{model}', id)
}

/** The name of a model on Hugging Face, with that of its owner or without. */
export const isId = /^(?!\.)[\w.-]+(?:\/(?!\.)[\w.-]+)?$/

export const isAtRoot = (candidate: string) => candidate === path

/** The model without the suffix that names Hugging Face's own servers, or leaves the choice to the router. */
function hostedModel(model: string): string {
  const [id = '', suffix] = model.split(':')
  if (suffix === undefined || ['hf-inference', 'fastest', 'cheapest', 'preferred'].includes(suffix)) return id
  throw incapable('model', `The router serves embeddings by \`hf-inference\` only, not by \`${suffix}\`.`)
}

/** Its own parameters. */
const known = ['normalize', 'prompt_name', 'truncate', 'truncation_direction'] as const

/** No field asks for a length or a form of the vectors: both are seen to when the answer is there. */
function encode({ body }: WireContext): JsonObject {
  const inputs = inputsOf(body) ?? []
  if (!inputs.every((input) => typeof input === 'string')) {
    throw incapable('input', 'Feature extraction takes texts, not tokens.')
  }
  const given = known.filter((name) => (body[name] ?? null) !== null)
  return { inputs, ...Object.fromEntries(given.map((name) => [name, body[name]])) }
}

function decode({ vectors }: JsonObject, { body, model }: WireContext): JsonObject {
  const inputs = inputsOf(body)?.length ?? 0
  const list = Array.isArray(vectors) ? vectors : []
  // A single text may be answered with its vector alone.
  const each = inputs === 1 && list.every((entry) => typeof entry === 'number') ? [list] : list
  if (each.some(isOfTokens)) {
    throw incapable(
      'model',
      'The model gives a vector for each token, not for the text, and how to join them depends on it.',
    )
  }
  return {
    object: 'list',
    data: each.map((embedding, index) => ({ object: 'embedding', index, embedding })),
    model,
  }
}

function isOfTokens(embedding: unknown): boolean {
  return Array.isArray(embedding) && Array.isArray(embedding[0])
}

function incapable(param: string, why: string): GatewayError {
  return new GatewayError('incapable', `Unsupported parameter: '${param}'. ${why}`, { param })
}
