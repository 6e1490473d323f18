import { describe, expect, it } from 'vitest'
import { ask, chat, eventsOf } from '../support/ask.ts'
import { serveNode } from '../support/gateway.ts'
import { chunk, stream } from '../support/upstream.ts'

const key = 'sk-of-the-gateway-0123456789'
const opening = [chunk({ role: 'assistant', content: '' }), chunk({ content: 'Hel' })]

const { upstream, gateway } = serveNode(
  (url) => ({ providers: { lab: { type: 'openai-compatible', baseURL: `${url}/v1`, apiKey: 'env:LAB_KEY' } } }),
  { env: { LAB_KEY: key } },
)

async function lastOf(...events: string[]): Promise<{ text: string; last: unknown }> {
  upstream.script(stream([...opening, ...events]))
  const { text } = await ask(gateway, chat('lab/m', { stream: true }))
  return { text, last: JSON.parse(eventsOf(text).at(-1)?.data ?? '') }
}

describe('An error that the upstream tells in the middle of its stream', () => {
  it.each([
    [
      'an object',
      `data: {"error":{"message":"boom","code":"x"}}\n\n`,
      { message: 'boom', type: 'server_error', param: null, code: 'x' },
    ],
    [
      'a string',
      `data: {"error":"boom"}\n\n`,
      { message: 'boom', type: 'server_error', param: null, code: 'upstream_error' },
    ],
    [
      'an event of that name',
      `event: error\ndata: {"message":"boom"}\n\n`,
      { message: 'boom', type: 'server_error', param: null, code: 'upstream_error' },
    ],
    [
      'a field of that name, as in llama.cpp’s servers of 2025',
      `error: {"code":500,"message":"boom","type":"server_error"}\n\n`,
      { message: 'boom', type: 'server_error', param: null, code: 'upstream_error' },
    ],
    [
      'as FastAPI words it',
      `data: {"detail":"CUDA ran out"}\n\n`,
      { message: 'CUDA ran out', type: 'server_error', param: null, code: 'upstream_error' },
    ],
    [
      'with a status beside it',
      `data: {"detail":{"message":"boom"},"status_code":500}\n\n`,
      { message: 'boom', type: 'server_error', param: null, code: 'upstream_error' },
    ],
    [
      'a key behind others',
      `data: {"id":"x","choices":[],"error":{"message":"boom","type":"t"}}\n\n`,
      { message: 'boom', type: 't', param: null, code: 'upstream_error' },
    ],
  ])('comes in the envelope: %s', async (_, event, error) => {
    expect((await lastOf(event)).last).toEqual({ error })
  })

  it.each([
    ['too long', { message: 'prompt is too long: 9000 tokens > 8192 maximum', code: 400 }, 'context_length_exceeded'],
    ['a rate limit', { message: 'Too many requests', code: 429 }, 'rate_limit_exceeded'],
    ['a used-up quota', { message: 'You exceeded your current quota', code: 429 }, 'insufficient_quota'],
    ['a filter', { message: 'Blocked', code: 'content_filter' }, 'content_policy_violation'],
    ['too many others', { message: 'Overloaded', type: 'overloaded_error' }, 'capacity_exhausted'],
  ])('has the code that clients know: %s', async (_, error, code) => {
    const { last } = await lastOf(`data: ${JSON.stringify({ error })}\n\n`)
    expect(last).toMatchObject({ error: { code, message: expect.stringContaining(error.message) } })
  })

  it('is the end: neither [DONE] nor anything else comes after it', async () => {
    const { text, last } = await lastOf(
      `data: {"error":{"message":"boom"}}\n\n${chunk({ content: 'lo' })}data: [DONE]\n\n`,
    )
    expect(last).toMatchObject({ error: { message: 'boom' } })
    expect(text).not.toContain('[DONE]')
    expect(text).not.toContain('"lo"')
  })

  it('does not tell the key that it quotes', async () => {
    const { text, last } = await lastOf(`data: {"error":{"message":"bad key Bearer ${key}"}}\n\n`)
    expect(last).toMatchObject({ error: { message: 'bad key Bearer ***' } })
    expect(text).not.toContain(key)
  })

  it('is not seen in a detail beside something else, or in one that says nothing', async () => {
    const frames = ['{"detail":"high","type":"progress"}', '{"detail":""}', '{"detail":"high","status":"queued"}']
    const all = [...opening, ...frames.map((data) => `data: ${data}\n\n`), chunk({}, 'stop'), 'data: [DONE]\n\n']
    upstream.script(stream(all))
    const { text } = await ask(gateway, chat('lab/m', { stream: true }))
    expect(text).not.toContain('"error"')
    expect(text.endsWith(all.slice(-2).join(''))).toBe(true)
  })

  it('is not seen in an answer that only speaks of errors', async () => {
    const words = chunk({ content: 'say {"error":{"message":"no"}}' })
    const frames = [...opening, words, chunk({}, 'stop'), 'data: [DONE]\n\n']
    upstream.script(stream(frames))
    expect((await ask(gateway, chat('lab/m', { stream: true }))).text).toBe(frames.join(''))
  })
})
