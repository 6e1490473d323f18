import { describe, expect, it } from 'vitest'
import { chat, errorOf } from '../support/ask.ts'
import { runtimes, serveBoth } from '../support/both.ts'
import { callAnswer, chatAnswer, json } from '../support/upstream.ts'

const { upstream, both } = serveBoth(
  'llamacpp',
  (url) => ({ providers: { llama: { type: 'llamacpp', baseURL: url } } }),
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
