import { atHand } from '../../core/late.ts'
import type { Operation } from '../../core/operation.ts'
import type { Translated } from '../../core/translation.ts'
import { decodeVector } from '../../operations/embeddings/vectors.ts'
import { embeddings } from '../../operations/embeddings.ts'
import { invalid, parseBody } from '../../wire/body.ts'
import { isObject, type JsonObject, stringAt } from '../../wire/json.ts'
import { boundingVectors } from './bounding.ts'
import { tokensOf } from './demand.ts'
import { camel, isGiven, listOf, numberFor, partsIn, unsupported } from './fields.ts'

export const embedContent: Operation = embedding(
  'embedContent',
  (asked) => [asked],
  (vectors) => ({ embedding: vectors[0] ?? { values: [] } }),
  'embedding',
)

export const batchEmbedContents: Operation = embedding(
  'batchEmbedContents',
  (asked) => listOf(asked.requests, 'requests'),
  (vectors) => ({ embeddings: vectors }),
  'embeddings',
)

/** `requests`: those for one text each. `key`: where an answer has what was asked for. */
function embedding(
  name: string,
  requests: (asked: JsonObject) => readonly JsonObject[],
  answer: (vectors: readonly JsonObject[]) => JsonObject,
  key: string,
): Operation {
  const read = (json: JsonObject) => requests(camel(json))
  return {
    name,
    path: `/models/{model}:${name}`,
    routes: [],
    prompt: 'content',
    streams: () => false,
    check({ outline }) {
      const all = read(outline)
      if (all.length === 0) throw invalid(`* ${name}: at least one request is required`, 'requests')
      for (const one of all) {
        if (partsIn(one.content, 'content').length > 0) continue
        throw invalid('* EmbedContentRequest.content: contents is not specified', 'content')
      }
    },
    inOwnNames: () => ({}),
    query({ outline }) {
      const all = read(outline)
      const needs = all.some(({ outputDimensionality: size }) => isGiven(size)) ? (['dimensions'] as const) : []
      return { needs: new Set(needs), tokens: tokensOf(all.flatMap(({ content }) => partsIn(content, 'content'))) }
    },
    bounding: atHand(boundingVectors),
    fault: (told) => (told[key] === undefined ? { wrong: `sent an answer without ${key}` } : undefined),
    over: {
      operation: embeddings,
      begin: ({ json }) => overEmbeddings(stringAt(json, 'model'), read(json), answer),
    },
  }
}

/** https://ai.google.dev/api/embeddings */
function overEmbeddings(
  model: string | undefined,
  requests: readonly JsonObject[],
  answer: (vectors: readonly JsonObject[]) => JsonObject,
): Translated {
  const sizes = new Set(requests.map(({ outputDimensionality: size }) => numberFor(size) ?? undefined))
  if (sizes.size > 1) throw unsupported('requests with several values of outputDimensionality')
  const [dimensions] = sizes
  const request = {
    model,
    input: requests.map(({ content }) => textOf(content)),
    ...(dimensions !== undefined && { dimensions }),
    encoding_format: 'float',
  }
  return {
    body: parseBody(new TextEncoder().encode(JSON.stringify(request))),
    dropped: ['taskType', 'title'].filter((name) => requests.some((one) => isGiven(one[name]))),
    optional: ['encoding_format'],
    answer: (told) => answer(vectorsIn(told)),
  }
}

function textOf(content: unknown): string {
  const parts = partsIn(content, 'content')
  return parts
    .map((part) => {
      const text = stringAt(part, 'text')
      if (text === undefined) throw unsupported('content.parts other than texts')
      return text
    })
    .join('\n')
}

/** In the order of the texts. */
function vectorsIn({ data }: JsonObject): readonly JsonObject[] {
  const found = (Array.isArray(data) ? data : []).filter(isObject)
  const placed = found.map((one, at) => ({ at: typeof one.index === 'number' ? one.index : at, one }))
  return placed
    .toSorted((one, other) => one.at - other.at)
    .map(({ one: { embedding: vector } }) => ({ values: typeof vector === 'string' ? decodeVector(vector) : vector }))
}
