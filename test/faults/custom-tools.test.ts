import { beforeEach, describe, expect, it } from 'vitest'
import { chat, errorOf, eventsOf } from '../support/ask.ts'
import { runtimes, serveBoth } from '../support/both.ts'
import { chatAnswer, chunk, json, type Script, stream } from '../support/upstream.ts'

const { upstream, both } = serveBoth(
  'custom-tools',
  (url) => ({
    providers: {
      openai: { type: 'openai', baseURL: url, apiKey: 'env:KEY' },
      ollama: { type: 'ollama', api: 'openai', baseURL: url },
      any: { type: 'openai-compatible', baseURL: url },
    },
    retries: 0,
    cooldown: false,
  }),
  { env: { KEY: 'k-of-the-provider' } },
)

const grammar = { syntax: 'lark', definition: 'start: /.+/' }
const patch = { type: 'custom', custom: { name: 'patch', description: 'Edits.', format: { type: 'grammar', grammar } } }
const look = { type: 'function', function: { name: 'look', parameters: { type: 'object' } } }
const tools = [look, patch]
const text = '*** Begin Patch\n+"ü"\n'
const args = JSON.stringify({ input: text })

const called = (name: string, given: string) => ({
  id: `c_${name}`,
  type: 'function',
  function: { name, arguments: given },
})
const custom = { id: 'c_patch', type: 'custom', custom: { name: 'patch', input: text } }
const answering = (...calls: object[]) => {
  const message = { role: 'assistant', content: null, refusal: null, tool_calls: calls }
  return { ...chatAnswer(''), choices: [{ index: 0, message, logprobs: null, finish_reason: 'tool_calls' }] }
}
const piece = (index: number, more: object) => chunk({ tool_calls: [{ index, ...more }] })
const refusal = json(400, {
  error: { message: "Invalid value for 'tools[1].type': expected 'function'.", param: null, code: null },
})

interface Call {
  readonly index: number
  readonly custom?: { readonly name?: string; readonly input: string }
  readonly function?: { readonly name?: string; readonly arguments: string }
}
interface Answer {
  readonly choices: {
    readonly message: { readonly tool_calls: Call[] }
    readonly delta: { readonly tool_calls?: Call[] }
    readonly finish_reason: string | null
  }[]
}

const bodies = () =>
  upstream.seen.flatMap(({ body }) => (body === '' ? [] : [JSON.parse(body) as Record<string, unknown>]))
const answerOf = ({ text: given }: { readonly text: string }) => JSON.parse(given) as Answer
const chunksOf = ({ text: given }: { readonly text: string }) =>
  eventsOf(given).flatMap(({ data }) => (data === '[DONE]' ? [] : [JSON.parse(data) as Answer]))

describe.each(runtimes)('A custom tool, on %s,', (runtime) => {
  const ask = (model: string, more: object = {}) => both.ask(runtime, chat(model, { tools, ...more }))

  beforeEach(() => {
    upstream.seen.length = 0
    upstream.script(json(200, answering(called('look', '{}'), called('patch', args))))
  })

  it('goes to an upstream that knows it as it is', async () => {
    upstream.script(json(200, answering(custom)))
    expect(answerOf(await ask('openai/m')).choices[0]?.message.tool_calls).toEqual([custom])
    expect(bodies()).toEqual([chat('m', { tools })])
  })

  it('is called as such also where the upstream knows functions only', async () => {
    const reply = await ask('ollama/m', { tool_choice: 'auto' })
    expect(answerOf(reply).choices[0]?.message.tool_calls).toEqual([called('look', '{}'), custom])
    const [own, other] = (bodies()[0]?.tools ?? []) as object[]
    expect(own).toEqual(look)
    expect(other).toMatchObject({
      type: 'function',
      function: {
        name: 'patch',
        parameters: { required: ['input'] },
        description: expect.stringContaining('start: /'),
      },
    })
  })

  it('goes on after calls and their results', async () => {
    const messages = [
      { role: 'user', content: 'hi' },
      { role: 'assistant', content: null, tool_calls: [custom] },
      { role: 'tool', tool_call_id: 'c_patch', content: 'Done' },
    ]
    upstream.script(json(200, chatAnswer('Fine.')))
    await ask('ollama/m', { messages })
    const [, turn, result] = (bodies()[0]?.messages ?? []) as object[]
    expect(turn).toEqual({ role: 'assistant', content: null, tool_calls: [called('patch', args)] })
    expect(result).toEqual(messages[2])
  })

  it.each([
    ['whole', [piece(0, called('patch', args))]],
    [
      'piece by piece',
      [piece(0, called('patch', '')), ...[...args].map((one) => piece(0, { function: { arguments: one } }))],
    ],
    ['in no form', [piece(0, called('patch', text.slice(0, 5))), piece(0, { function: { arguments: text.slice(5) } })]],
  ])('is called in a stream whose upstream tells its text %s', async (_how, pieces) => {
    const frames = [chunk({ role: 'assistant' }), ...pieces, piece(1, called('look', '{}')), chunk({}, 'tool_calls')]
    upstream.script(stream([...frames, 'data: [DONE]\n\n']))
    const chunks = chunksOf(await ask('ollama/m', { stream: true }))
    const calls = chunks.flatMap(({ choices }) => choices[0]?.delta.tool_calls ?? [])
    const [first, ...others] = calls.filter(({ index }) => index === 0)
    expect(first).toMatchObject({ id: 'c_patch', type: 'custom', custom: { name: 'patch' } })
    expect([first, ...others].map((call) => call?.custom?.input).join('')).toBe(text)
    expect(calls.filter(({ index }) => index === 1)).toMatchObject([called('look', '{}')])
    expect(chunks.at(-1)?.choices[0]?.finish_reason).toBe('tool_calls')
  })

  it('is a function for an upstream that refuses it, from then on at once', async () => {
    const model = `any/${runtime}`
    const choosy: Script = (request, ...rest) =>
      (request.body.includes('"custom"') ? refusal : json(200, answering(called('patch', args))))(request, ...rest)
    upstream.script(choosy)
    expect(answerOf(await ask(model)).choices[0]?.message.tool_calls).toEqual([custom])
    expect(answerOf(await ask(model)).choices[0]?.message.tool_calls).toEqual([custom])
    expect(bodies().map((body) => JSON.stringify(body).includes('"custom"'))).toEqual([true, false, false])
  })

  it('with a grammar that its upstream can’t read is refused in the upstream’s words', async () => {
    const message = "Invalid grammar in 'tools[1].custom.format'."
    upstream.script(json(400, { error: { message, type: 'invalid_request_error', param: 'tools[1]', code: null } }))
    expect(errorOf(await ask('openai/m'))).toMatchObject({ message })
    expect(bodies()).toHaveLength(1)
  })

  it('may be the one that is to be called', async () => {
    const allowed = { type: 'allowed_tools', allowed_tools: { mode: 'auto', tools: [look, patch] } }
    upstream.script(refusal, json(200, answering(called('patch', args))))
    await ask(`any/named-${runtime}`, { tool_choice: { type: 'custom', custom: { name: 'patch' } } })
    await ask(`any/named-${runtime}`, { tool_choice: allowed })
    const [, named, ofSome] = bodies().map((body) => body.tool_choice)
    expect(named).toEqual({ type: 'function', function: { name: 'patch' } })
    expect(ofSome).toMatchObject({
      allowed_tools: { tools: [look, { type: 'function', function: { name: 'patch' } }] },
    })
  })
})
