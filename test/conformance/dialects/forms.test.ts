import { describe, expect, it } from 'vitest'
import { block, start, stop } from '../../support/anthropic-events.ts'
import { recorded, recordedCase } from '../../support/replay.ts'
import { eventsFault, messageFault } from './anthropic-form.ts'
import { chunksFault, chunksIn } from './gemini-form.ts'
import {
  chatFault,
  embedFault,
  generateFault,
  linesFault,
  ollamaErrorFault,
  runningFault,
  showFault,
  tagsFault,
  versionFault,
} from './ollama-form.ts'

/** The real Ollama: what is required of the gateway's answers is what its own are like. */
const native = 'ollama-0.32.15-native'
const looks = { tags: tagsFault, ps: runningFault, show: showFault, version: versionFault, embed: embedFault }

const answers = recorded(native).filter(
  ({ request, response: { status } }) => /^\/api\/(chat|generate)$/.test(request.path) && status === 200,
)

describe('The form that is required of an answer', () => {
  it.each(answers.map((one) => [one.label, one] as const))('is that of Ollama itself: %s', (_, one) => {
    const { headers, body } = one.response
    const route = one.request.path === '/api/chat' ? 'chat' : 'generate'
    const isStream = headers['content-type']?.includes('ndjson')
    const whole = { chat: chatFault, generate: generateFault }[route]
    expect(isStream ? linesFault(body, route) : whole(JSON.parse(body))).toBeUndefined()
  })

  it.each(Object.entries(looks))('is that of what Ollama itself tells of models: %s', (label, fault) => {
    expect(fault(JSON.parse(recordedCase(native, label).response.body))).toBeUndefined()
  })

  it.each(['err_model', 'err_json', 'err_context'])('is that of a refusal of Ollama itself: %s', (label) => {
    expect(ollamaErrorFault(JSON.parse(recordedCase(native, label).response.body))).toBeUndefined()
  })

  const lines = recordedCase(native, 'chat_stream').response.body
  const event = (fields: object) => `data: ${JSON.stringify(fields)}\n\n`
  const said = (more: object) => ({ content: { role: 'model', parts: [{ text: 'Hi' }] }, index: 0, ...more })
  const going = { candidates: [said({})], modelVersion: 'm', responseId: 'r' }

  it('is not that of a stream that breaks off', () => {
    expect(linesFault(lines.replace(/[^\n]*\n$/, ''), 'chat')).toMatch(/^line \d+: /)
    expect(chunksFault(chunksIn(event(going)))).toMatch(/^event 0: /)
    const begun = [start, ...block(0, { type: 'text', text: '' }, { type: 'text_delta', text: 'Hi' })]
    expect(eventsFault([...begun, ...stop('end_turn')].join(''))).toBeUndefined()
    expect(eventsFault(begun.join(''))).toContain('order')
  })

  it('is not that of an answer without what its clients read', () => {
    const { eval_count: _, ...whole } = JSON.parse(recordedCase(native, 'chat').response.body) as Record<
      string,
      unknown
    >
    expect(chatFault(whole)).toContain('eval_count')
    expect(chatFault({ ...whole, eval_count: 1, choices: [] })).toContain('additional')
    const message = { id: 'msg_1', type: 'message', role: 'assistant', model: 'm', content: [{ type: 'text' }] }
    expect(messageFault({ ...message, stop_reason: 'end_turn', stop_sequence: null })).toContain('usage')
  })
})
