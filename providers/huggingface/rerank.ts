import type { OperationSpec, WireContext } from '../../src/core/provider.ts'
import { GatewayError } from '../../src/wire/errors.ts'
import { isObject, type JsonObject } from '../../src/wire/json.ts'

/**
 * The ranking of Text Embeddings Inference: `{query, texts}`, answered with a bare list of `{index, score}`. Its route is
 * at the root, beside `/v1`; here two slashes mark that.
 * https://huggingface.github.io/text-embeddings-inference
 */
export const teiRerank: OperationSpec = { path: '//rerank', encode, decode: (answer) => answer, list: 'results' }

/** Its own parameters. */
const known = ['raw_scores', 'truncate', 'truncation_direction'] as const

/** The number and the texts of the results are seen to when the answer is there. */
function encode({ body }: WireContext): JsonObject {
  const documents = Array.isArray(body.documents) ? body.documents : []
  const texts = documents.map((document) => (isObject(document) ? document.text : document))
  if (!texts.every((text) => typeof text === 'string')) {
    throw new GatewayError('incapable', "Unsupported parameter: 'documents'. Only texts can be ranked.", {
      param: 'documents',
    })
  }
  const given = known.filter((name) => (body[name] ?? null) !== null)
  return { query: body.query, texts, ...Object.fromEntries(given.map((name) => [name, body[name]])) }
}
