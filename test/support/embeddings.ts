import type { Reply } from './ask.ts'
import { json, type Script } from './upstream.ts'

/** A basic request for embeddings, to which a test adds what it needs. */
export function embed(model: string, input: unknown = 'hi', more: object = {}): Record<string, unknown> {
  return { model, input, ...more }
}

/** An answer in OpenAI's format. */
export function embeddingsOf(vectors: readonly unknown[], more: object = {}): Record<string, unknown> {
  return {
    object: 'list',
    data: vectors.map((embedding, index) => ({ object: 'embedding', index, embedding })),
    model: 'fake-model',
    usage: { prompt_tokens: 2, total_tokens: 2 },
    ...more,
  }
}

/** A vector as base64: 32-bit floats, little-endian. */
export function base64(vector: readonly number[]): string {
  return Buffer.from(Float32Array.from(vector).buffer).toString('base64')
}

/** The vectors of a reply, as they are. */
export function vectorsOf({ text }: Reply): unknown[] {
  return (JSON.parse(text) as { data: { embedding: unknown }[] }).data.map(({ embedding }) => embedding)
}

/** Answers each text, or list of tokens, with a vector that tells it: its length, and its number if it is one. */
export const telling: Script = (request, ...rest) => {
  const { input } = JSON.parse(request.body) as { input: string | string[] }
  const texts = Array.isArray(input) && typeof input[0] !== 'number' ? input : [input as string]
  const usage = { prompt_tokens: texts.length, total_tokens: texts.length }
  return json(
    200,
    embeddingsOf(
      texts.map((text) => [text.length, Number(text) || 0]),
      { usage },
    ),
  )(request, ...rest)
}

export function lengthOf(vector: readonly number[]): number {
  return Math.sqrt(vector.reduce((sum, value) => sum + value ** 2, 0))
}
