import { describe, expect, it } from 'vitest'
import { chat, errorOf } from '../support/ask.ts'
import { runtimes, serveBoth } from '../support/both.ts'
import { callAnswer, chatAnswer, json } from '../support/upstream.ts'

const { upstream, both } = serveBoth(
  'llamacpp',
  (url) => ({
    providers: {
      llama: { type: 'llamacpp', baseURL: url },
      studio: { type: 'lmstudio', baseURL: `${url}/v1` },
      behind: { type: 'openai-compatible', baseURL: url, continues: 'llamacpp' },
      vllm: { type: 'vllm', baseURL: url },
    },
  }),
  { script: json(200, chatAnswer('hi')) },
)

const tool = (name: string) => ({ type: 'function', function: { name, parameters: { type: 'object' } } })
const chosen = (name: string) => ({ type: 'function', function: { name } })
const tools = [tool('look'), tool('listen')]

describe.each(runtimes)('A choice of tools for llama.cpp on %s', (runtime) => {
  it('of one by name must call that one, which the server itself would ignore', async () => {
    upstream.script(json(200, callAnswer('listen')))
    const filler = 'x'.repeat(20_000)
    const reply = await both.ask(runtime, chat('llama/x', { tools, tool_choice: chosen('listen'), user: filler }))
    expect(reply.status).toBe(200)
    expect(JSON.parse(upstream.seen.at(-1)?.body ?? '')).toEqual(
      chat('x', { tools: [tool('listen')], tool_choice: 'required', user: filler }),
    )
  })

  it('of one that is not among them is refused', async () => {
    const reply = await both.ask(runtime, chat('llama/x', { tools, tool_choice: chosen('smell') }))
    expect([reply.status, errorOf(reply).param]).toEqual([400, 'tool_choice'])
  })

  it.each(['auto', 'none', 'required'])('is sent as it is: %s', async (choice) => {
    const asked = JSON.stringify(chat('llama/x', { tools, tool_choice: choice }))
    await both.ask(runtime, asked)
    expect(upstream.seen.at(-1)?.body).toBe(asked.replace('llama/x', 'x'))
  })
})

describe.each(runtimes)('The penalty for what was said, on %s', (runtime) => {
  it.each([
    ['llama/x', 'repeat_penalty'],
    ['studio/x', 'repeat_penalty'],
    ['behind/x', 'repeat_penalty'],
    ['vllm/x', 'repetition_penalty'],
  ])('is sent to %s as %s', async (model, name) => {
    upstream.script(json(200, chatAnswer('hi')))
    const sent = () => JSON.parse(upstream.seen.at(-1)?.body ?? '') as object
    await both.ask(runtime, chat(model, { repetition_penalty: 1.2 }))
    expect(sent()).toEqual(chat('x', { [name]: 1.2 }))
    const asked = { ...chat(model), stream: false, options: { repeat_penalty: 1.3 } }
    await both.ask(runtime, asked, '/api/chat')
    expect(sent()).toEqual(chat('x', { [name]: 1.3 }))
  })
})
