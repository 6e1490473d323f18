import { beforeEach, describe, expect, it } from 'vitest'
import type { Config } from '../../src/config/schema.ts'
import { chat, contentOf, errorOf } from '../support/ask.ts'
import { runtimes, serveBoth } from '../support/both.ts'
import { callAnswer, chatAnswer, chatFrames, json, stream } from '../support/upstream.ts'

const configOf = (url: string): Config => ({
  providers: {
    lab: { type: 'openai-compatible', baseURL: url },
    other: { type: 'openai-compatible', baseURL: `${url}/other` },
  },
  models: {
    relieved: { deployments: ['lab/x'], fallbacks: ['other/y'] },
    lenient: { deployments: ['lab/x'], dropParams: ['tool_choice'] },
    set: { deployments: [{ model: 'lab/x', overrides: { tool_choice: 'auto' } }] },
  },
})

const { upstream, both } = serveBoth('required-call', configOf)

const tool = (name: string) => ({ type: 'function', function: { name, parameters: { type: 'object' } } })
const tools = [tool('look'), tool('listen')]
const named = (name: string) => ({ type: 'function', function: { name } })
const required = { tools, tool_choice: 'required' }

interface Sent {
  readonly messages: readonly { readonly role: string; readonly content: string }[]
  readonly tool_choice?: unknown
}
const sent = () => upstream.seen.map(({ body }) => JSON.parse(body) as Sent)
const words = json(200, chatAnswer('Let me think.'))
const call = json(200, callAnswer('look'))

describe.each(runtimes)('A call that a request requires, on %s,', (runtime) => {
  beforeEach(() => {
    upstream.seen.length = 0
  })

  it('passes as it comes', async () => {
    upstream.script(call)
    expect((await both.ask(runtime, chat('lab/x', required))).text).toBe(JSON.stringify(callAnswer('look')))
    expect(sent()).toHaveLength(1)
  })

  it('is asked for once more where the model answers with words, and the usage is that of both', async () => {
    upstream.script(words, call)
    const reply = await both.ask(runtime, chat('lab/x', required))
    expect(JSON.parse(reply.text)).toMatchObject({
      choices: [{ message: { tool_calls: [{ function: { name: 'look' } }] }, finish_reason: 'tool_calls' }],
      usage: { total_tokens: 10 },
    })
    const [, second] = sent()
    expect(second?.messages.slice(-2)).toEqual([
      { role: 'assistant', content: 'Let me think.' },
      { role: 'user', content: expect.stringContaining('call of one of the tools') },
    ])
    expect(second?.tool_choice).toBe('required')
  })

  it('must be that of the tool that is named', async () => {
    upstream.script(call, json(200, callAnswer('listen')))
    const reply = await both.ask(runtime, chat('lab/x', { tools, tool_choice: named('listen') }))
    expect([reply.status, sent().length]).toEqual([200, 2])
    expect(sent()[1]?.messages.at(-1)?.content).toContain('call of listen')
  })

  it('is not told as made if it wasn’t twice', async () => {
    upstream.script(words)
    const reply = await both.ask(runtime, chat('lab/x', required))
    expect([reply.status, sent().length, reply.headers.get('x-should-retry')]).toEqual([502, 2, 'false'])
    expect(errorOf(reply)).toMatchObject({
      message: expect.stringContaining("it doesn't call a tool"),
      type: 'server_error',
      param: 'tool_choice',
      code: 'upstream_invalid_response',
    })
  })

  it('is made by another deployment then', async () => {
    upstream.script(words, words, call)
    const reply = await both.ask(runtime, chat('relieved', required))
    expect([reply.status, reply.headers.get('x-samewire-model')]).toEqual([200, 'other/y'])
  })

  it('is made by a function of the legacy kind as well', async () => {
    const message = {
      role: 'assistant',
      content: null,
      refusal: null,
      function_call: { name: 'look', arguments: '{}' },
    }
    const choice = { index: 0, message, logprobs: null, finish_reason: 'function_call' }
    upstream.script(json(200, { ...chatAnswer(''), choices: [choice] }))
    const functions = tools.map((one) => one.function)
    const reply = await both.ask(runtime, chat('lab/x', { functions, function_call: { name: 'look' } }))
    expect([reply.status, sent().length]).toEqual([200, 1])
  })

  it.each(['length', 'content_filter'])('is not asked for again where the answer ended by %s', async (reason) => {
    const [choice] = (chatAnswer('Let me') as { choices: object[] }).choices
    upstream.script(json(200, { ...chatAnswer(''), choices: [{ ...choice, finish_reason: reason }] }))
    expect((await both.ask(runtime, chat('lab/x', required))).status).toBe(200)
    expect(sent()).toHaveLength(1)
  })

  it.each<[string, string, object]>([
    ['the configuration allows to leave the choice out', 'lenient', required],
    ['the configuration makes another choice', 'set', required],
    ['there are no tools', 'lab/x', { tool_choice: 'required' }],
    ['the choice is left to the model', 'lab/x', { tools, tool_choice: 'auto' }],
  ])('isn’t wanted where %s', async (_why, model, more) => {
    upstream.script(words)
    const reply = await both.ask(runtime, chat(model, more))
    expect([contentOf(reply.text), sent().length]).toEqual(['Let me think.', 1])
  })

  it('may be missing in a stream, which can’t be taken back', async () => {
    const frames = chatFrames('Let me think.')
    upstream.script(stream(frames))
    expect((await both.ask(runtime, chat('lab/x', { ...required, stream: true }))).text).toBe(frames.join(''))
  })
})
