import { describe, expect, it } from 'vitest'
import { tokensOf } from '../../src/core/tokens.ts'
import type { JsonObject } from '../../src/wire/json.ts'

describe('Tokens', () => {
  it.each([
    [{ prompt_tokens: 10, completion_tokens: 5, prompt_tokens_details: { cached_tokens: 4 } }, [10, 5, 4, 0]],
    [{ prompt_tokens: 10, total_tokens: 10 }, [10, 0, 0, 0]],
    [{ input_tokens: 10, output_tokens: 5, output_tokens_details: { reasoning_tokens: 3 } }, [10, 5, 0, 3]],
    [{ input_tokens: 10, output_tokens: 5, output_tokens_details: { thinking_tokens: 3 } }, [10, 5, 0, 3]],
    [
      { input_tokens: 10, cache_read_input_tokens: 90, cache_creation_input_tokens: 0, output_tokens: 5 },
      [100, 5, 90, 0],
    ],
    [{ promptTokenCount: 10, candidatesTokenCount: 5, thoughtsTokenCount: 2 }, [10, 7, 0, 2]],
    [{ promptTokenCount: 10, toolUsePromptTokenCount: 4, cachedContentTokenCount: 3 }, [14, 0, 3, 0]],
    [{ prompt_eval_count: 10, eval_count: 5 }, [10, 5, 0, 0]],
    [{ prompt_tokens: 10, completion_tokens: 5, cached_tokens: 4 }, [10, 5, 4, 0]],
    [
      { prompt_tokens: 10, completion_tokens: 5, prompt_cache_hit_tokens: 4, prompt_cache_miss_tokens: 6 },
      [10, 5, 4, 0],
    ],
  ])('of %j are the same four numbers in any API', (told, [input, output, cached, reasoning]) => {
    expect(tokensOf(told)).toEqual({ input, output, cached, reasoning })
  })

  it('are unknown where nothing is said of them', () => {
    expect(tokensOf({ prompt_tokens: null, type: 'duration', seconds: 3 })).toBeUndefined()
  })

  it('count reasoning that a server has in the total only', () => {
    // https://docs.x.ai/docs/key-information/consumption-and-rate-limits
    const completion_tokens_details = { reasoning_tokens: 300 }
    const told = { prompt_tokens: 30, completion_tokens: 10, total_tokens: 340, completion_tokens_details }
    expect(tokensOf(told)).toMatchObject({ input: 30, output: 310, reasoning: 300 })
  })

  it.each([[-5], [Number.NaN], [Number.POSITIVE_INFINITY], ['7'], [1e300]])(
    'are not known where a server says that there were %j',
    (wrong) => {
      expect(tokensOf({ prompt_tokens: wrong, completion_tokens: 2 })).toBeUndefined()
      expect(tokensOf({ input_tokens: 2, output_tokens: wrong, total_tokens: 4 })).toBeUndefined()
    },
  )

  it('are not known either where a server tells of one side only', () => {
    expect(tokensOf({ prompt_tokens: 10 })).toBeUndefined()
    expect(tokensOf({ completion_tokens: 10, prompt_tokens: null })).toBeUndefined()
    expect(tokensOf({ prompt_tokens: 10, total_tokens: 10 })).toMatchObject({ input: 10, output: 0 })
    expect(tokensOf({ completion_tokens: 10, total_tokens: 14 })).toMatchObject({ input: 4, output: 10 })
  })
})

describe('Parts of the tokens', () => {
  const parts = (told: JsonObject) =>
    Object.fromEntries(Object.entries(tokensOf(told)?.parts ?? {}).filter(([, count]) => count > 0))

  it.each([
    [
      "a chat of OpenAI's with audio",
      {
        ...{ prompt_tokens: 90, completion_tokens: 40 },
        prompt_tokens_details: { cached_tokens: 20, audio_tokens: 30, cache_write_tokens: 9 },
        completion_tokens_details: { audio_tokens: 25 },
      },
      { cacheWrite: 9, audioInput: 30, audioOutput: 25 },
    ],
    [
      'a realtime answer',
      {
        ...{ input_tokens: 90, output_tokens: 40 },
        input_token_details: {
          ...{ text_tokens: 40, audio_tokens: 40, image_tokens: 10, cached_tokens: 50 },
          cached_tokens_details: { text_tokens: 20, audio_tokens: 25, image_tokens: 5 },
        },
        output_token_details: { text_tokens: 10, audio_tokens: 30 },
      },
      { audioInput: 40, cachedAudioInput: 25, imageInput: 10, cachedImageInput: 5, audioOutput: 30 },
    ],
    [
      'a transcription',
      {
        type: 'tokens',
        input_tokens: 14,
        input_token_details: { text_tokens: 4, audio_tokens: 10 },
        output_tokens: 45,
      },
      { audioInput: 10 },
    ],
    [
      'an image',
      { input_tokens: 50, output_tokens: 1000, input_tokens_details: { text_tokens: 10, image_tokens: 40 } },
      { imageInput: 40 },
    ],
    [
      "a message of Anthropic's",
      {
        ...{ input_tokens: 5, output_tokens: 9, cache_read_input_tokens: 100, cache_creation_input_tokens: 30 },
        cache_creation: { ephemeral_5m_input_tokens: 10, ephemeral_1h_input_tokens: 20 },
      },
      { cacheWrite: 30, cacheWrite1h: 20 },
    ],
    [
      "the same in a chat's words",
      {
        ...{ prompt_tokens: 135, completion_tokens: 9 },
        prompt_tokens_details: {
          ...{ cached_tokens: 100, cache_write_tokens: 30 },
          cache_creation_token_details: { ephemeral_1h_input_tokens: 20 },
        },
      },
      { cacheWrite: 30, cacheWrite1h: 20 },
    ],
    [
      'an answer of Gemini',
      {
        ...{ promptTokenCount: 50, candidatesTokenCount: 1290, cachedContentTokenCount: 20 },
        promptTokensDetails: [
          { modality: 'TEXT', tokenCount: 10 },
          { modality: 'AUDIO', tokenCount: 40 },
        ],
        cacheTokensDetails: [{ modality: 'AUDIO', tokenCount: 20 }],
        candidatesTokensDetails: [{ modality: 'IMAGE', tokenCount: 1290 }],
      },
      { audioInput: 40, cachedAudioInput: 20, imageOutput: 1290 },
    ],
  ])('are told of %s', (_, told, expected) => {
    expect(parts(told)).toEqual(expected)
  })
})
