import { readPrompt } from './completions.ts'
import { EngineError, type GenerateOptions, invalidType, type JsonObject } from './contract.ts'
import type { Model } from './generate.ts'
import { BATCH } from './transformer.ts'
import { Turns } from './turns.ts'

/** Tokens of all inputs together: about a minute of work. */
const MOST_TOKENS = 65_536

/** The inputs of a request as tokens. Throws `EngineError` if one of them is too long, or all together. */
export function readInputs({ input }: JsonObject, { tokenizer, contextWindow }: Model): number[][] {
  const list = Array.isArray(input) && typeof input[0] !== 'number' ? input : [input]
  if (list.length === 0) throw invalidType('input', 'a string or an array', input)
  const inputs: number[][] = []
  let total = 0
  for (const [at, one] of list.entries()) {
    const tokens = readPrompt(one, list.length === 1 ? 'input' : `input[${at}]`, tokenizer, 'input')
    total += tokens.length
    if (tokens.length > contextWindow) {
      const message = `This model's maximum context length is ${contextWindow} tokens. However, your input resulted in ${tokens.length} tokens. Please reduce the length of the input.`
      throw new EngineError(400, message, { code: 'context_length_exceeded', param: 'input' })
    }
    if (total > MOST_TOKENS) {
      const message = `Invalid 'input': too many tokens. The demonstration model embeds ${MOST_TOKENS} in one request.`
      throw new EngineError(400, message, { code: 'invalid_value', param: 'input' })
    }
    inputs.push(tokens)
  }
  return inputs
}

/**
 * The mean of the last hidden states of each input, at length 1. The model was trained to write, not to compare texts,
 * so texts with the same words are near each other and little more can be said.
 */
export async function embed(model: Model, inputs: readonly number[][], options: GenerateOptions): Promise<JsonObject> {
  const turns = new Turns(options)
  const data: JsonObject[] = []
  for (const [index, tokens] of inputs.entries()) {
    data.push({ object: 'embedding', index, embedding: await embedOne(model, tokens, turns) })
  }
  const count = inputs.reduce((sum, { length }) => sum + length, 0)
  return { object: 'list', data, model: options.model, usage: { prompt_tokens: count, total_tokens: count } }
}

async function embedOne({ transformer }: Model, tokens: readonly number[], turns: Turns): Promise<number[]> {
  const sum = new Float64Array(transformer.width)
  const cache = transformer.cache(tokens.length)
  for (let at = 0; at < tokens.length; at += BATCH) {
    await turns.take(BATCH)
    transformer.embed(cache, tokens.slice(at, at + BATCH), sum)
  }
  const norm = Math.hypot(...sum) || 1
  return Array.from(sum, (value) => Math.fround(value / norm))
}
