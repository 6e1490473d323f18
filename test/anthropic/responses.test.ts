import { beforeEach, describe, expect, it } from 'vitest'
import { streams } from '../support/anthropic.ts'
import { block, message } from '../support/anthropic-events.ts'
import { type Runtime, runtimes, serveBoth } from '../support/both.ts'
import { asking, type Item, lastOf, readEvents, readResponse } from '../support/response-events.ts'
import { chatAnswer, json } from '../support/upstream.ts'

const { upstream, both } = serveBoth(
  'anthropic-responses',
  (url) => ({
    providers: {
      anthropic: { type: 'anthropic', baseURL: url, apiKey: 'env:KEY' },
      up: { type: 'openai-compatible', baseURL: url },
    },
    retries: 0,
  }),
  { env: { KEY: 'sk-ant-1' } },
)

const claude = 'anthropic/claude-sonnet-4-5'
const thought = { type: 'thinking', thinking: 'They want the weather.', signature: 'c2lnbmVk' }
const hidden = { type: 'redacted_thinking', data: 'b3BhcXVl' }
const use = { type: 'tool_use', id: 'toolu_1', name: 'weather', input: { city: 'Rome' } }
const asked = {
  tools: [{ type: 'function', name: 'weather', parameters: { type: 'object' } }],
  include: ['reasoning.encrypted_content'],
  reasoning: { effort: 'medium', summary: 'auto' },
}
const result = { type: 'function_call_output', call_id: 'toolu_1', output: 'sunny' }

const frames = [
  ...block(
    0,
    { type: 'thinking', thinking: '', signature: '' },
    { type: 'thinking_delta', thinking: 'They want ' },
    { type: 'thinking_delta', thinking: 'the weather.' },
    { type: 'signature_delta', signature: 'c2lnbmVk' },
  ),
  ...block(1, hidden),
  ...block(2, { ...use, input: {} }, { type: 'input_json_delta', partial_json: '{"city":"Rome"}' }),
]

interface Sent {
  readonly messages: readonly { readonly content: unknown }[]
  readonly thinking?: object
}

describe.each(runtimes)('On %s, a response of Claude that thinks before it calls', (runtime: Runtime) => {
  beforeEach(() => {
    upstream.seen.length = 0
  })

  async function outputOf(stream: boolean): Promise<readonly Item[]> {
    upstream.script(
      stream ? streams(frames, 'tool_use') : json(200, message([thought, hidden, use], { stop_reason: 'tool_use' })),
    )
    const { text } = await both.ask(runtime, asking(claude, 'Weather?', { ...asked, stream }), '/responses')
    return stream ? lastOf(readEvents(text)).output : readResponse(text).output
  }

  async function sentWith(model: string, output: readonly object[]): Promise<Sent> {
    const input = [{ role: 'user', content: 'Weather?' }, ...output, result]
    expect((await both.ask(runtime, asking(model, input, asked), '/responses')).status).toBe(200)
    return JSON.parse(upstream.seen.at(-1)?.body ?? '') as Sent
  }

  it.each([
    ['whole', false],
    ['in a stream', true],
  ])('comes %s with its thoughts in a form to carry, by which the model goes on thinking', async (_, stream) => {
    const output = await outputOf(stream)
    expect(output).toMatchObject([
      { type: 'reasoning', summary: [{ type: 'summary_text', text: 'They want the weather.' }] },
      { type: 'function_call', call_id: 'toolu_1' },
    ])
    upstream.script(json(200, message([{ type: 'text', text: 'Sunny.' }])))
    const sent = await sentWith(claude, output)
    expect(sent.messages[1]?.content).toEqual([thought, hidden, use])
    expect(sent.thinking).toMatchObject({ type: 'enabled' })
  })

  it('goes to another model with the text alone', async () => {
    const output = await outputOf(true)
    upstream.script(json(200, chatAnswer('Sunny.')))
    const bare = output.map((item) => (item.type === 'reasoning' ? { ...item, summary: [] } : item))
    const { messages } = await sentWith('up/m', bare)
    expect(messages[1]).toEqual({
      role: 'assistant',
      content: null,
      reasoning_content: 'They want the weather.',
      tool_calls: [{ id: 'toolu_1', type: 'function', function: { name: 'weather', arguments: '{"city":"Rome"}' } }],
    })
  })

  it('shows nothing of that to a client that does not ask for it', async () => {
    upstream.script(streams(frames, 'tool_use'))
    const { text } = await both.ask(runtime, asking(claude, 'Weather?', { stream: true }), '/responses')
    expect(lastOf(readEvents(text)).output[0]).not.toHaveProperty('encrypted_content')
  })
})
