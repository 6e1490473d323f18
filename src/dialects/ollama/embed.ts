import type { Operation } from '../../core/operation.ts'
import type { Translated, TranslationContext } from '../../core/translation.ts'
import { readingOnly } from '../../operations/common/bounding.ts'
import { decodeVector } from '../../operations/embeddings/vectors.ts'
import { embeddings } from '../../operations/embeddings.ts'
import { invalid, parseBody, type RequestBody } from '../../wire/body.ts'
import { isObject, type JsonObject, objectAt, stringAt } from '../../wire/json.ts'
import { aBool, aMap, anInt, aString, checkFields } from './check.ts'
import { demandFor } from './demand.ts'
import { countOf, Stopwatch } from './measures.ts'
import { faultIn, usageOf } from './reader.ts'

export const ollamaEmbed: Operation = {
  name: 'ollamaEmbed',
  path: '/api/embed',
  routes: [],
  prompt: 'input',
  streams: () => false,
  check({ outline }) {
    checkFields(outline, 'EmbedRequest', { truncate: aBool, dimensions: anInt, options: aMap })
    textsIn(outline)
  },
  bounding: readingOnly,
  query: ({ outline }) => {
    const { needs, tokens } = demandFor({}, textsIn(outline))
    return { needs: cuts(outline) ? new Set(['dimensions'] as const) : needs, tokens }
  },
  fault: (answer) => faultIn(answer, 'embeddings'),
  usage: usageOf,
  over: {
    operation: embeddings,
    begin(body, { clock, model }) {
      const texts = textsIn(body.json)
      const watch = new Stopwatch(clock)
      const { dimensions } = body.json
      return overEmbeddings(body.json, { input: texts, ...(cuts(body.json) && { dimensions }) }, (answer) => {
        const { total_duration, load_duration } = watch.measures({ usage: undefined })
        return {
          model: stringAt(answer, 'model') || (stringAt(body.json, 'model') ?? model),
          embeddings: vectorsIn(answer),
          ...(texts.length > 0 && { total_duration, load_duration }),
          ...countOf('prompt_eval_count', objectAt(answer, 'usage')?.prompt_tokens),
        }
      })
    },
  },
}

/** Ollama's own predecessor of `/api/embed`: one text. */
export const ollamaEmbeddings: Operation = {
  name: 'ollamaEmbeddings',
  path: '/api/embeddings',
  routes: [],
  prompt: 'prompt',
  streams: () => false,
  check: ({ outline }) => checkFields(outline, 'EmbeddingRequest', { prompt: aString, options: aMap }),
  bounding: readingOnly,
  query: ({ outline }) => demandFor({}, [outline.prompt]),
  fault: (answer) => faultIn(answer, 'embedding'),
  over: {
    operation: embeddings,
    begin({ json }: RequestBody, _context: TranslationContext) {
      const { prompt } = json
      const input = typeof prompt === 'string' && prompt !== '' ? [prompt] : []
      return overEmbeddings(json, { input }, (answer) => ({ embedding: vectorsIn(answer)[0] ?? [] }))
    },
  },
}

/** A request without a text only loads the model. */
function overEmbeddings(
  asked: JsonObject,
  fields: JsonObject & { readonly input: readonly string[] },
  answer: Translated['answer'],
): Translated {
  const { model } = asked
  const request = { ...(model !== undefined && { model }), ...fields, encoding_format: 'float' }
  const options = Object.keys(objectAt(asked, 'options') ?? {}).map((name) => `options.${name}`)
  const told = ['keep_alive', 'truncate'].filter((name) => asked[name] !== undefined && asked[name] !== null)
  return {
    body: parseBody(new TextEncoder().encode(JSON.stringify(request))),
    dropped: [...options, ...told],
    optional: ['encoding_format'],
    answer,
    ...(fields.input.length === 0 && { unasked: answer({}) }),
  }
}

function textsIn({ input }: JsonObject): readonly string[] {
  if (input === undefined || input === null || input === '') return []
  if (typeof input === 'string') return [input]
  if (Array.isArray(input) && input.every((text) => typeof text === 'string')) return input
  throw invalid('invalid input type')
}

function cuts({ dimensions }: JsonObject): boolean {
  return typeof dimensions === 'number' && dimensions > 0
}

/** In the order of the texts. */
function vectorsIn({ data }: JsonObject): readonly unknown[] {
  const found = (Array.isArray(data) ? data : []).filter(isObject)
  const ordered = found.map((one, at) => ({ at: typeof one.index === 'number' ? one.index : at, one }))
  ordered.sort((one, other) => one.at - other.at)
  return ordered.map(({ one: { embedding } }) => (typeof embedding === 'string' ? decodeVector(embedding) : embedding))
}
