import { describe, expect, it } from 'vitest'
import { runtimes, serveBoth } from '../support/both.ts'
import { asking, readMessage } from '../support/messages.ts'
import { chatSaying } from '../support/response-events.ts'
import { chatAnswer, json } from '../support/upstream.ts'

const { upstream, both } = serveBoth(
  'openrouter',
  (url) => ({ providers: { router: { type: 'openrouter', baseURL: url, apiKey: 'env:KEY' } } }),
  { env: { KEY: 'sk-or' } },
)

const calls = [{ id: 'call_1', type: 'function', function: { name: 'f', arguments: '{}' } }]
const tools = [{ name: 'f', input_schema: { type: 'object', properties: {} } }]
const user = { role: 'user', content: 'hi' }
const thinking = { thinking: { type: 'enabled', budget_tokens: 5000 } }

describe.each(runtimes)('What a model of OpenRouter thought, on %s', (runtime) => {
  it.each([
    ['Claude', { type: 'reasoning.text', text: 'Hm.', signature: 'c2ln', format: 'anthropic-claude-v1' }],
    ['GPT', { type: 'reasoning.encrypted', data: 'b3BhcXVl', id: 'rs_1', format: 'openai-responses-v1' }],
    ['Gemini', { type: 'reasoning.encrypted', data: 'c2ln', id: 'call_1', format: 'google-gemini-v1' }],
    ['Grok', { type: 'reasoning.encrypted', data: 'eGFp', id: 'rs_2', format: 'xai-responses-v1' }],
  ])('comes back to it with the results of its calls: %s', async (_, detail) => {
    const details = [{ ...detail, index: 0 }]
    upstream.script(
      json(200, chatSaying({ reasoning: 'Hm.', reasoning_details: details, tool_calls: calls }, 'tool_calls')),
    )
    const asked = { ...thinking, tools }
    const first = await both.ask(runtime, asking('router/m', 'hi', asked), '/messages')
    const { content } = readMessage(first.text)
    expect(JSON.parse(upstream.seen.at(-1)?.body ?? '')).toMatchObject({ reasoning: { effort: 'medium' } })
    const result = { type: 'tool_result', tool_use_id: 'call_1', content: 'done' }
    const messages = [user, { role: 'assistant', content }, { role: 'user', content: [result] }]
    upstream.script(json(200, chatAnswer('ok')))
    await both.ask(runtime, asking('router/m', '', { ...asked, messages }), '/messages')
    const sent = JSON.parse(upstream.seen.at(-1)?.body ?? '') as { messages: unknown[] }
    expect(sent.messages[1]).toMatchObject({ role: 'assistant', reasoning_details: details, tool_calls: calls })
  })
})
