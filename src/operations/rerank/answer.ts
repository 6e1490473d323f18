import type { Fault } from '../../core/stream-reader.ts'
import type { WireContext } from '../../core/wire-context.ts'
import { isObject, type JsonObject } from '../../wire/json.ts'
import { missing } from '../common/missing.ts'

/**
 * A ranking put right, as Cohere and Jina give it: `results`, the best first, no more than `top_n`, each with its score
 * as `relevance_score`, and with its document where `return_documents` asks for it. The same object if it is right.
 */
export function mendRerank(answer: JsonObject, { body, model }: WireContext): JsonObject {
  // Voyage calls the list `data`, as OpenAI calls others.
  const given = answer.results ?? answer.data
  if (!Array.isArray(given) || !given.every(isObject)) return answer
  const results = given.map((result) => mendResult(result, body))
  if (!results.every(isRanked)) return answer
  const most = typeof body.top_n === 'number' && body.top_n > 0 ? body.top_n : results.length
  const right =
    results.every((result, at) => result === given[at]) &&
    isSorted(results) &&
    results.length <= most &&
    given === answer.results
  if (right) return answer
  const { data: _, ...rest } = answer
  const sorted = results.toSorted((one, other) => other.relevance_score - one.relevance_score)
  return { ...(given === answer.results ? answer : rest), model: answer.model ?? model, results: sorted.slice(0, most) }
}

/** Why an answer ranks nothing, or something else than the documents. */
export function rerankFault(answer: JsonObject, { body }: WireContext): Fault | undefined {
  const fault = missing('results', 'list')(answer)
  if (fault) return fault
  const results = answer.results as readonly unknown[]
  const ranked = results.filter((result) => isObject(result) && isRanked(result)) as readonly Ranked[]
  if (ranked.length < results.length) return { wrong: 'sent a ranking without indexes or scores' }
  const documents = Array.isArray(body.documents) ? body.documents.length : 0
  const indexes = new Set(ranked.map(({ index }) => index))
  if (indexes.size < ranked.length) return { wrong: 'ranked a document twice' }
  if ([...indexes].some((index) => index < 0 || index >= documents))
    return { wrong: 'ranked a document that there is not' }
  return documents > 0 && ranked.length === 0 ? { wrong: 'ranked none of the documents' } : undefined
}

type Ranked = JsonObject & { readonly index: number; readonly relevance_score: number }

function isRanked(result: JsonObject): result is Ranked {
  return Number.isInteger(result.index) && Number.isFinite(result.relevance_score)
}

function isSorted(results: readonly Ranked[]): boolean {
  return results.every(
    ({ relevance_score: score }, at) => at === 0 || score <= (results[at - 1] as Ranked).relevance_score,
  )
}

function mendResult(result: JsonObject, { documents, return_documents: wanted }: JsonObject): JsonObject {
  // TEI and Voyage have other names, and some give a document as a bare text.
  const { score, text, document = text, ...rest } = result
  const named = result.relevance_score !== undefined || score === undefined
  const sent = Array.isArray(documents) ? documents[Number(result.index)] : undefined
  const shown = wanted === false ? undefined : wanted === true ? (document ?? sent) : document
  const whole = typeof shown === 'string' ? { text: shown } : shown
  if (named && whole === result.document) return result
  return {
    ...rest,
    ...(named ? score !== undefined && { score } : { relevance_score: score }),
    ...(whole !== undefined && { document: whole }),
  }
}
