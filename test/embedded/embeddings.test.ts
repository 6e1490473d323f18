import { describe, expect, it } from 'vitest'
import type { EngineError, JsonObject } from '../../providers/embedded/engine.ts'
import { readGguf } from '../../providers/embedded/gguf.ts'
import { Tokenizer } from '../../providers/embedded/tokenizer.ts'
import { engine, modelFile, options } from './engine-fixture.ts'

async function vectors(input: unknown): Promise<number[][]> {
  const { data } = await engine.embed({ input }, options())
  return (data as { embedding: number[] }[]).map(({ embedding }) => embedding)
}

const failure = (input: unknown) =>
  engine.embed({ input }, options()).then(
    () => undefined,
    (error: EngineError) => error,
  )

describe('the embedded model embeds', () => {
  it('each text for itself, whatever is around it', async () => {
    const long = 'a text that is longer than one pass of the model takes at once, so that passes are joined '
    const all = await vectors(['hi', long, 'hi'])
    expect(all[0]).toEqual(all[2])
    expect(all[0]).toEqual((await vectors('hi'))[0])
    expect(all[1]).not.toEqual(all[0])
    for (const vector of all) {
      expect(vector).toHaveLength(128)
      expect(Math.hypot(...vector)).toBeCloseTo(1, 6)
    }
  })

  it('tokens like the text that they spell', async () => {
    const tokens = new Tokenizer(readGguf(modelFile)).encode('good morning')
    const [text] = await vectors('good morning')
    expect(await vectors(tokens)).toEqual([text])
    expect(await vectors([tokens, tokens])).toEqual([text, text])
  })

  it('all of a text, not only what one pass of the model takes', async () => {
    const tokens = Array.from({ length: 20 }, (_, at) => 300 + at)
    const [whole, start, other] = await vectors([tokens, tokens.slice(0, 8), [...tokens.slice(0, 19), 700]])
    expect(whole).not.toEqual(start)
    expect(whole).not.toEqual(other)
  })

  it('and counts the tokens of all inputs', async () => {
    const { usage } = (await engine.embed({ input: [[1, 2, 3], [4]] }, options())) as JsonObject
    expect(usage).toEqual({ prompt_tokens: 4, total_tokens: 4 })
  })

  it.each<[string, unknown, string, string]>([
    ['a text over its context', 'word '.repeat(3000), 'context_length_exceeded', 'input'],
    ['a text far over its context', 'word '.repeat(100_000), 'context_length_exceeded', 'input'],
    ['tokens over its context', Array.from({ length: 2049 }, () => 5), 'context_length_exceeded', 'input'],
    ['a minute of work', Array.from({ length: 40 }, () => 'word '.repeat(1800)), 'invalid_value', 'input'],
    ['tokens that it does not have', [[1], [999_999]], 'invalid_value', 'input[1]'],
    ['something else', [{}], 'invalid_type', 'input'],
  ])('but not %s', async (_, input, code, param) => {
    expect(await failure(input)).toMatchObject({ name: 'EngineError', status: 400, code, param })
  })

  it('no further when its caller has left', async () => {
    const left = new AbortController()
    const pause = async () => left.abort(new Error('left'))
    let time = 0
    const now = () => (time += 100)
    const given = { ...options(), signal: left.signal, pause, now }
    await expect(engine.embed({ input: 'word '.repeat(500) }, given)).rejects.toThrow('left')
  })
})
