import { describe, expect, it } from 'vitest'
import type { RequestReport } from '../../src/core/report.ts'
import { ask, chat, noLists } from '../support/ask.ts'
import { gatewayStarter, serveUpstreams } from '../support/gateway.ts'
import { chatAnswer, chatFrames, json, type Script, stream, text } from '../support/upstream.ts'

const { up } = serveUpstreams({ up: json(404, {}) })
const serve = gatewayStarter()

/** A price that tells all the parts apart by its digits: a token of each costs so many nano-dollars. */
const price = {
  ...{ input: 1, output: 10, cachedInput: 0.1, cacheWrite: 2, cacheWrite1h: 3 },
  ...{ audioInput: 20, audioOutput: 30, imageInput: 40, imageOutput: 50 },
}
const pieces = { input: 0, output: 0, image: 0.04, minute: 0.006, characters: 15 }

/** Has a request answered by `script`, and returns what was reported of it. */
async function reportOf(
  type: string,
  script: Script,
  body: object,
  path?: string,
  own: object = price,
  settings: object = {},
) {
  const reports: RequestReport[] = []
  const observer = { over: (report: RequestReport) => void reports.push(report) }
  const deployment = { model: 'up/m', ...(own && { price: own }), ...settings }
  const config = {
    providers: { up: { type, baseURL: up.url, apiKey: 'env:K' } },
    models: { m: { deployments: [deployment] } },
  }
  const gateway = await serve(config as never, { services: { ...noLists, observer }, env: { K: 'sk-x' } })
  up.script(script)
  const reply = await ask(gateway, body, path === undefined ? {} : { path })
  expect([reply.status, reports.length]).toEqual([200, 1])
  return reports[0] as RequestReport
}

const completion = (usage: object, more: object = {}) => json(200, { ...chatAnswer('hi'), usage, ...more })

describe('What a request has cost is told of', () => {
  it('a chat with audio and a cache', async () => {
    const usage = {
      ...{ prompt_tokens: 100, completion_tokens: 50, total_tokens: 150 },
      prompt_tokens_details: { cached_tokens: 40, audio_tokens: 30 },
      completion_tokens_details: { reasoning_tokens: 5, audio_tokens: 20 },
    }
    const { cost, tokens } = await reportOf('openai-compatible', completion(usage), chat('m'))
    expect(cost).toBe(30 * 1000 + 40 * 100 + 30 * 20_000 + 30 * 10_000 + 20 * 30_000)
    expect(tokens).toMatchObject({ input: 100, output: 50, cached: 40, reasoning: 5 })
  })

  it.each([
    ['a whole answer', (usage: object) => completion(usage, { service_tier: 'priority' }), {}],
    [
      'a stream',
      (usage: object) => {
        const last = {
          ...chatAnswer('x'),
          object: 'chat.completion.chunk',
          choices: [],
          usage,
          service_tier: 'priority',
        }
        return stream([...chatFrames('hi').slice(0, -1), `data: ${JSON.stringify(last)}\n\n`, 'data: [DONE]\n\n'])
      },
      { stream: true, stream_options: { include_usage: true } },
    ],
  ])("%s of another service tier, at that one's price", async (_, answer, more) => {
    const script = answer({ prompt_tokens: 100, completion_tokens: 50, total_tokens: 150 })
    const asked = chat('m', { service_tier: 'priority', ...more })
    const priced = await reportOf('openai-compatible', script, asked, undefined, {
      ...price,
      serviceTiers: { priority: 2 },
    })
    expect(priced.cost).toBe(2 * (100 * 1000 + 50 * 10_000))
    const unpriced = await reportOf('openai-compatible', script, asked)
    expect([unpriced.cost, unpriced.priceSource, unpriced.tokens?.input]).toEqual([undefined, undefined, 100])
  })

  it.each([
    ['whole', {}],
    ['a stream', { stream: true }],
  ])('both questions where the answer to the first did not fit, if it is %s', async (_, form) => {
    const schema = { type: 'object', properties: { a: { type: 'number' } }, required: ['a'] }
    const format = { type: 'json_schema', json_schema: { name: 'x', schema } }
    const usage = { prompt_tokens: 100, completion_tokens: 50, total_tokens: 150 }
    const answers = ['{"b": 1}', '{"a": 1}'].map((said) => json(200, { ...chatAnswer(said), usage }))
    const script: Script = (...given) => answers.shift()?.(...given)
    const { cost, tokens } = await reportOf('deepseek', script, chat('m', { response_format: format, ...form }))
    expect([cost, tokens?.input, tokens?.output]).toEqual([2 * (100 * 1000 + 50 * 10_000), 200, 100])
  })

  it.each([
    ['a chat', undefined, chat('m')],
    ['a message', '/messages', { ...chat('m'), max_tokens: 9 }],
  ])("%s of Anthropic's, with what was written to its cache", async (_, path, body) => {
    const usage = {
      ...{ input_tokens: 10, cache_read_input_tokens: 1000, cache_creation_input_tokens: 300, output_tokens: 20 },
      cache_creation: { ephemeral_5m_input_tokens: 100, ephemeral_1h_input_tokens: 200 },
    }
    const message = {
      ...{ id: 'msg_1', type: 'message', role: 'assistant', model: 'm', stop_reason: 'end_turn', stop_sequence: null },
      ...{ content: [{ type: 'text', text: 'hi' }], usage },
    }
    const { cost } = await reportOf('anthropic', json(200, message), body, path)
    expect(cost).toBe(10 * 1000 + 1000 * 100 + 100 * 2000 + 200 * 3000 + 20 * 10_000)
  })

  it.each([
    ['a chat', undefined, chat('m')],
    [
      'a request for content',
      '/../v1beta/models/m:generateContent',
      { contents: [{ role: 'user', parts: [{ text: 'x' }] }] },
    ],
  ])('%s of Gemini, with what it heard and drew', async (_, path, body) => {
    const answer = {
      candidates: [{ index: 0, finishReason: 'STOP', content: { role: 'model', parts: [{ text: 'hi' }] } }],
      usageMetadata: {
        ...{ promptTokenCount: 50, candidatesTokenCount: 100, thoughtsTokenCount: 7, totalTokenCount: 157 },
        promptTokensDetails: [{ modality: 'AUDIO', tokenCount: 40 }],
        candidatesTokensDetails: [{ modality: 'IMAGE', tokenCount: 90 }],
      },
    }
    const { cost } = await reportOf('gemini', json(200, answer), body, path)
    expect(cost).toBe(10 * 1000 + 40 * 20_000 + 90 * 50_000 + 17 * 10_000)
  })

  it('pictures, by the token or by the piece', async () => {
    const data = [{ b64_json: 'aGk=' }, { b64_json: 'aGk=' }]
    const usage = { input_tokens: 10, output_tokens: 100, total_tokens: 110 }
    const asked = { model: 'm', prompt: 'x', n: 2 }
    const script = json(200, { created: 1, data, usage })
    const byToken = await reportOf('openai-compatible', script, asked, '/images/generations')
    expect(byToken.cost).toBe(10 * 1000 + 100 * 50_000)
    const plain = json(200, { created: 1, data })
    const byPiece = await reportOf('openai-compatible', plain, asked, '/images/generations', pieces)
    expect(byPiece.cost).toBe(80_000_000)
    const settings = { overrides: { n: 3 } }
    const more = await reportOf('openai-compatible', plain, asked, '/images/generations', pieces, settings)
    expect(more.cost).toBe(120_000_000)
  })

  it('speech, by the character', async () => {
    const asked = { model: 'm', input: 'x'.repeat(200), voice: 'v' }
    const script = text(200, 'sound', 'audio/mpeg')
    const { cost } = await reportOf('openai-compatible', script, asked, '/audio/speech', pieces)
    expect(cost).toBe(3_000_000)
  })

  it('an answer that nobody bills: nothing', async () => {
    const script = completion({ prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 })
    const { cost, priceSource } = await reportOf('llamacpp', script, chat('up/m'), undefined, null as never)
    expect([cost, priceSource]).toEqual([0, 'free'])
  })

  it('nobody, if it is refused', async () => {
    const reports: RequestReport[] = []
    const config = {
      providers: { up: { type: 'openai-compatible', baseURL: up.url } },
      models: { m: { deployments: [{ model: 'up/m', price: { ...pieces, request: 1 } }] } },
    }
    const observer = { over: (report: RequestReport) => void reports.push(report) }
    const gateway = await serve(config, { services: { ...noLists, observer } })
    up.script(json(400, { error: { message: 'no', type: 'invalid_request_error', param: null, code: null } }))
    await ask(gateway, { model: 'm', input: 'x', voice: 'v' }, { path: '/audio/speech' })
    expect(reports).toMatchObject([{ status: 400, cost: undefined }])
  })
})
