import { beforeEach, describe, expect, it } from 'vitest'
import { event, message, start as messageStart, stop } from '../support/anthropic-events.ts'
import { fakeCollector } from '../support/collector.ts'
import { duringTests } from '../support/during-tests.ts'
import { serveUpstreams, startGateway } from '../support/gateway.ts'
import { head, said } from '../support/gemini.ts'
import { json, type Script, stream } from '../support/upstream.ts'

const { up } = serveUpstreams({ up: json(404, {}) })
const collector = duringTests(fakeCollector)
const gateway = duringTests(() => {
  const at = { baseURL: up.url, apiKey: 'env:KEY' }
  return startGateway(
    {
      providers: {
        anthropic: { type: 'anthropic', ...at },
        gemini: { type: 'gemini', ...at },
        ollama: { type: 'ollama', baseURL: up.url },
        openai: { type: 'openai', ...at },
      },
      retries: 0,
    },
    { env: { KEY: 'k', OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: collector.url, OTEL_BSP_SCHEDULE_DELAY: '10' } },
  )
})

beforeEach(() => collector.clear())

const messages = [{ role: 'user', content: 'Hi' }]
const contents = [{ role: 'user', parts: [{ text: 'Hi' }] }]
const response = {
  ...{ id: 'resp_7', object: 'response', created_at: 1_700_000_000, model: 'gpt-x', status: 'incomplete', output: [] },
  incomplete_details: { reason: 'max_output_tokens' },
}
const responseEvent = (type: string, number: number, more: object) =>
  `event: response.${type}\ndata: ${JSON.stringify({ type: `response.${type}`, sequence_number: number, ...more })}\n\n`
const line = { model: 'm', created_at: '2026-01-01T00:00:00Z', message: { role: 'assistant', content: 'Hello' } }
const lastLine = `${JSON.stringify({ ...line, done: true, done_reason: 'length', eval_count: 2 })}\n`

interface Case {
  readonly of: string
  readonly path: string
  readonly body: object
  readonly script: Script
  readonly id?: string
  readonly reasons: readonly string[]
}

const cases: readonly Case[] = [
  {
    of: 'a message',
    path: '/v1/messages',
    body: { model: 'anthropic/c', max_tokens: 9, messages },
    script: json(200, message([{ type: 'text', text: 'Hello' }], { stop_reason: 'max_tokens' })),
    ...{ id: 'msg_01XFDUDYJgAACzvnptvVoYEL', reasons: ['max_tokens'] },
  },
  {
    of: 'a stream of a message',
    path: '/v1/messages',
    body: { model: 'anthropic/c', max_tokens: 9, messages, stream: true },
    script: stream([messageStart, event('ping'), ...stop('end_turn')]),
    ...{ id: 'msg_01XFDUDYJgAACzvnptvVoYEL', reasons: ['end_turn'] },
  },
  {
    of: 'Gemini’s answer',
    path: '/v1beta/models/gemini/g:generateContent',
    body: { contents },
    script: json(200, said([{ text: 'Hello' }], 'MAX_TOKENS')),
    ...{ id: head.responseId, reasons: ['MAX_TOKENS'] },
  },
  {
    of: 'Gemini’s stream',
    path: '/v1beta/models/gemini/g:streamGenerateContent?alt=sse',
    body: { contents },
    script: stream([`data: ${JSON.stringify(said([{ text: 'Hello' }]))}\r\n\r\n`]),
    ...{ id: head.responseId, reasons: ['STOP'] },
  },
  {
    of: 'Ollama’s answer, which has no id',
    path: '/api/chat',
    body: { model: 'ollama/m', messages, stream: false },
    script: json(200, JSON.parse(lastLine)),
    reasons: ['length'],
  },
  {
    of: 'Ollama’s stream',
    path: '/api/chat',
    body: { model: 'ollama/m', messages },
    script: stream([lastLine], 'end', 'application/x-ndjson'),
    reasons: ['length'],
  },
  {
    of: 'a response',
    path: '/v1/responses',
    body: { model: 'openai/r', input: 'Hi' },
    script: json(200, response),
    ...{ id: 'resp_7', reasons: ['max_output_tokens'] },
  },
  {
    of: 'a stream of a response',
    path: '/v1/responses',
    body: { model: 'openai/r', input: 'Hi', stream: true },
    script: stream([
      responseEvent('created', 0, { response: { ...response, status: 'in_progress', incomplete_details: null } }),
      responseEvent('output_text.delta', 1, { item_id: 'msg_1', output_index: 0, content_index: 0, delta: 'Hello' }),
      responseEvent('incomplete', 2, { response }),
    ]),
    ...{ id: 'resp_7', reasons: ['max_output_tokens'] },
  },
]

describe('The span of a call', () => {
  it.each(cases)('has the id of $of, and why it ended', async ({ path, body, script, id, reasons }) => {
    up.script(script)
    const root = gateway.baseURL.replace(/\/v1$/, '')
    const headers = { 'content-type': 'application/json' }
    const answer = await fetch(root + path, { method: 'POST', headers, body: JSON.stringify(body) })
    expect([answer.status, await answer.text()]).toEqual([200, expect.stringMatching(/Hello|resp_7|msg_01/)])
    const call = (await collector.spans(3)).find(({ attributes }) => 'gen_ai.operation.name' in attributes)
    expect(call?.attributes['gen_ai.response.id']).toBe(id)
    expect(call?.attributes['gen_ai.response.finish_reasons']).toEqual(reasons)
  })
})
