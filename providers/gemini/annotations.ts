import { isObject, type JsonObject, objectAt } from '../../src/wire/json.ts'

/**
 * OpenAI's `url_citation`s for the sources of a text: of what Gemini looked up, and of what it quotes.
 * https://ai.google.dev/gemini-api/docs/google-search
 */
export function annotationsOf(candidate: JsonObject, text: string): JsonObject[] {
  const places = new Places(text)
  return [...grounded(objectAt(candidate, 'groundingMetadata'), places), ...quoted(candidate, places)]
}

/** Whether a candidate has anything of the kind. */
export function hasSources({ groundingMetadata, citationMetadata }: JsonObject): boolean {
  return isObject(groundingMetadata) || isObject(citationMetadata)
}

function grounded(metadata: JsonObject | undefined, places: Places): JsonObject[] {
  const chunks = listIn(metadata, 'groundingChunks')
  return listIn(metadata, 'groundingSupports').flatMap((support) => {
    const indices = Array.isArray(support.groundingChunkIndices) ? support.groundingChunkIndices : []
    return indices.flatMap((at) => {
      const chunk = chunks[Number(at)]
      const source = objectAt(chunk, 'web') ?? objectAt(chunk, 'maps') ?? objectAt(chunk, 'retrievedContext')
      return citation(source, objectAt(support, 'segment'), places)
    })
  })
}

function quoted(candidate: JsonObject, places: Places): JsonObject[] {
  const metadata = objectAt(candidate, 'citationMetadata')
  const sources = [...listIn(metadata, 'citationSources'), ...listIn(metadata, 'citations')]
  return sources.flatMap((source) => citation(source, source, places))
}

function citation(source: JsonObject | undefined, segment: JsonObject | undefined, places: Places): JsonObject[] {
  const { uri, title } = source ?? {}
  if (typeof uri !== 'string') return []
  const { startIndex, endIndex } = segment ?? {}
  const place = { start_index: places.of(startIndex), end_index: places.of(endIndex) }
  return [
    { type: 'url_citation', url_citation: { ...place, url: uri, title: typeof title === 'string' ? title : uri } },
  ]
}

/** Gemini counts the bytes of a text, OpenAI its characters. */
class Places {
  readonly #bytes: Uint8Array

  constructor(text: string) {
    this.#bytes = new TextEncoder().encode(text)
  }

  /** Absent is the start. */
  of(index: unknown): number {
    const before = this.#bytes.subarray(0, typeof index === 'number' && index > 0 ? index : 0)
    return new TextDecoder().decode(before).length
  }
}

function listIn(holder: JsonObject | undefined, key: string): readonly JsonObject[] {
  const list = holder?.[key]
  return Array.isArray(list) ? list.filter(isObject) : []
}
