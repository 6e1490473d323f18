import type { Fault } from '../../core/stream-reader.ts'
import type { WireContext } from '../../core/wire-context.ts'
import { GatewayError } from '../../wire/errors.ts'
import { isObject, type JsonObject, objectAt } from '../../wire/json.ts'
import { toldError } from '../../wire/told-error.ts'
import { indexOf } from '../repair/head.ts'
import { inputsOf } from './request.ts'
import { cutVector, decodeVector, encodeVector, lengthInBase64 } from './vectors.ts'

/** How the client wants its vectors. */
interface Wanted {
  readonly base64: boolean
  readonly length: number | undefined
  /** Whether longer ones may be cut. */
  readonly cuts: boolean
}

/** A whole answer put right: the order, the form and the length of the vectors, and the usage. The same if it is right. */
export function mendEmbeddings(answer: JsonObject, context: WireContext): JsonObject {
  const { data, model } = answer
  if (!Array.isArray(data) || !data.every(isObject)) return answer
  const wanted = wantedBy(context)
  if (isRight(answer, data, wanted)) return answer
  return {
    ...answer,
    object: 'list',
    data: ordered(data).map((item, index) => ({
      ...item,
      object: 'embedding',
      index,
      embedding: formed(item.embedding, wanted),
    })),
    model: typeof model === 'string' && model !== '' ? model : context.model,
    usage: usageOf(answer, context.body),
  }
}

function wantedBy({ body, supports }: WireContext): Wanted {
  return {
    base64: body.encoding_format === 'base64',
    length: typeof body.dimensions === 'number' ? body.dimensions : undefined,
    cuts: supports?.dimensions === true,
  }
}

function isRight({ object, model, usage }: JsonObject, data: readonly JsonObject[], wanted: Wanted): boolean {
  return (
    object === 'list' &&
    typeof model === 'string' &&
    model !== '' &&
    isObject(usage) &&
    typeof usage.prompt_tokens === 'number' &&
    typeof usage.total_tokens === 'number' &&
    data.every((item, at) => item.object === 'embedding' && item.index === at && isFormed(item.embedding, wanted))
  )
}

function isFormed(embedding: unknown, { base64, length }: Wanted): boolean {
  if (base64 ? typeof embedding !== 'string' : !Array.isArray(embedding)) return false
  return length === undefined || lengthOf(embedding) === length
}

function lengthOf(embedding: unknown): number | undefined {
  if (typeof embedding === 'string') return lengthInBase64(embedding)
  return Array.isArray(embedding) ? embedding.length : undefined
}

/** By index, if each has its own; some servers give all of them the same. */
function ordered(data: readonly JsonObject[]): readonly JsonObject[] {
  const sorted: JsonObject[] = []
  for (const item of data) {
    const index = indexOf(item.index)
    if (index === undefined || index >= data.length || sorted[index]) return data
    sorted[index] = item
  }
  return sorted
}

/** A vector as the client wants it. One that can't be read stays as it is: the fault of the answer. */
function formed(embedding: unknown, wanted: Wanted): unknown {
  if (isFormed(embedding, wanted)) return embedding
  const vector = typeof embedding === 'string' ? decodeVector(embedding) : embedding
  if (!isVector(vector)) return embedding
  const sized = resized(vector, wanted)
  return wanted.base64 ? encodeVector(sized) : sized
}

function resized(vector: readonly number[], { length, cuts }: Wanted): readonly number[] {
  if (length === undefined || length === vector.length) return vector
  if (cuts && length < vector.length) return cutVector(vector, length)
  const message = `Unsupported parameter: 'dimensions' is not supported with this model: its vectors have ${vector.length} dimensions.`
  throw new GatewayError('incapable', message, { param: 'dimensions', lacks: 'dimensions' })
}

function isVector(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.length > 0 && value.every((entry) => Number.isFinite(entry))
}

/** English has about four. */
const charactersPerToken = 4

/** The usage that the upstream tells; an estimate if it tells none, since clients read it without a check. */
function usageOf(answer: JsonObject, body: JsonObject): JsonObject {
  const told = objectAt(answer, 'usage')
  const count = (name: string) => (typeof told?.[name] === 'number' ? told[name] : undefined)
  const prompt = count('prompt_tokens') ?? count('total_tokens') ?? estimate(body)
  return { ...told, prompt_tokens: prompt, total_tokens: count('total_tokens') ?? prompt }
}

function estimate(body: JsonObject): number {
  const lengths = (inputsOf(body) ?? []).map((input) =>
    typeof input === 'string' ? Math.ceil(input.length / charactersPerToken) : input.length,
  )
  return lengths.reduce((sum, length) => sum + length, 0)
}

/** Why a whole answer is none: an error in it, or not exactly one vector for each input. */
export function embeddingsFault(answer: JsonObject, { body }: WireContext): Fault | undefined {
  const error = toldError(answer)
  if (error !== undefined) return { told: error }
  const { data } = answer
  if (!Array.isArray(data)) return { wrong: 'sent an answer without embeddings' }
  const wanted = inputsOf(body)?.length
  if (wanted !== undefined && data.length !== wanted) {
    return { wrong: `sent ${data.length} embeddings for ${wanted} ${wanted === 1 ? 'input' : 'inputs'}` }
  }
  return data.every(hasVector) ? undefined : { wrong: 'sent an embedding that is no list of numbers' }
}

const base64 = /^[A-Za-z\d+/]+={0,2}$/

function hasVector(item: unknown): boolean {
  if (!isObject(item)) return false
  const { embedding } = item
  if (typeof embedding !== 'string') return isVector(embedding)
  return base64.test(embedding) && (lengthInBase64(embedding) ?? 0) > 0
}
