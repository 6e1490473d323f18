import { beforeEach, describe, expect, it } from 'vitest'
import type { Config } from '../../src/config/schema.ts'
import { chat, eventsOf } from '../support/ask.ts'
import { runtimes, serveBoth } from '../support/both.ts'
import { callAnswer, chatAnswer, chunk, json, type Script, stream } from '../support/upstream.ts'

const configOf = (url: string): Config => ({
  providers: {
    ollama: { type: 'ollama', baseURL: url },
    v1: { type: 'ollama', api: 'openai', baseURL: url },
    tgi: { type: 'huggingface', apiKey: 'env:KEY', endpointUrl: url, engine: 'tgi' },
    lab: { type: 'openai-compatible', baseURL: url },
  },
  retries: 0,
})

const { upstream, both } = serveBoth('single-call', configOf, { env: { KEY: 'k-of-the-provider' } })

const tool = (name: string) => ({ type: 'function', function: { name, parameters: { type: 'object' } } })
const asked = { tools: [tool('look'), tool('listen')], parallel_tool_calls: false }

const native = (names: readonly string[], done: boolean) => ({
  model: 'x',
  created_at: '2026-01-01T00:00:00Z',
  message: {
    role: 'assistant',
    content: '',
    ...(names.length > 0 && { tool_calls: names.map((name) => ({ function: { name, arguments: { a: 1 } } })) }),
  },
  done,
  ...(done && { done_reason: 'stop' }),
})
const piece = (index: number, more: object) => chunk({ tool_calls: [{ index, ...more }] })
const opening = (index: number, name: string) =>
  piece(index, { id: `call_${index}`, type: 'function', function: { name, arguments: '' } })
const frames = [
  chunk({ role: 'assistant', content: '' }),
  opening(0, 'look'),
  piece(0, { function: { arguments: '{"a"' } }),
  opening(1, 'listen'),
  piece(0, { function: { arguments: ':1}' } }),
  piece(1, { function: { arguments: '{}' } }),
  chunk({}, 'tool_calls'),
  'data: [DONE]\n\n',
]

/** Two calls, whatever is asked for: in one line, and in two. */
const answering: Script = (request, ...rest) => {
  const streams = JSON.parse(request.body).stream === true
  const isNative = request.path === '/api/chat'
  const lines = [native(['look'], false), native(['listen'], false), native([], true)]
  const script = !streams
    ? json(200, isNative ? native(['look', 'listen'], true) : callAnswer('look', 'listen'))
    : isNative
      ? stream(
          lines.map((one) => `${JSON.stringify(one)}\n`),
          'end',
          'application/x-ndjson',
        )
      : stream(frames)
  return script(request, ...rest)
}

const refusing: Script = (request, ...rest) => {
  const message = "Unsupported parameter: 'parallel_tool_calls' is not supported with this model."
  const error = { message, type: 'invalid_request_error', param: 'parallel_tool_calls', code: 'unsupported_parameter' }
  return (request.body.includes('parallel_tool_calls') ? json(400, { error }) : answering)(request, ...rest)
}

interface Call {
  readonly index?: number
  readonly function: { readonly name?: string; readonly arguments: string }
}
interface Choice {
  readonly message: { readonly tool_calls: readonly Call[] }
  readonly delta: { readonly tool_calls?: readonly Call[] }
  readonly finish_reason: string | null
}
const choicesOf = (text: string) => (JSON.parse(text) as { choices: Choice[] }).choices
const bodies = () => upstream.seen.map(({ body }) => JSON.parse(body) as object)

describe.each(runtimes)('One call at most, on %s,', (runtime) => {
  beforeEach(() => {
    upstream.seen.length = 0
    upstream.script(answering)
  })

  const whole = async (model: string) => {
    const [choice] = choicesOf((await both.ask(runtime, chat(model, asked))).text)
    return [choice?.message.tool_calls.map((call) => call.function.name), choice?.finish_reason]
  }

  it.each(['ollama/x', 'v1/x', 'tgi/x'])('is the first of several where %s makes them anyway', async (model) => {
    expect(await whole(model)).toEqual([['look'], 'tool_calls'])
    for (const body of bodies()) expect(body).not.toHaveProperty('parallel_tool_calls')
  })

  it.each(['ollama/x', 'v1/x', 'tgi/x'])('comes whole in a stream, and nothing of the others: %s', async (model) => {
    const { text } = await both.ask(runtime, chat(model, { ...asked, stream: true }))
    const events = eventsOf(text).map(({ data }) => data)
    expect(events.at(-1)).toBe('[DONE]')
    const choices = events.slice(0, -1).flatMap(choicesOf)
    const pieces = choices.flatMap(({ delta }) => delta.tool_calls ?? [])
    expect(new Set(pieces.map(({ index }) => index))).toEqual(new Set([0]))
    expect(pieces.flatMap((call) => call.function.name ?? [])).toEqual(['look'])
    expect(JSON.parse(pieces.map((call) => call.function.arguments).join(''))).toEqual({ a: 1 })
    expect(choices.flatMap(({ finish_reason: reason }) => reason ?? [])).toEqual(['tool_calls'])
  })

  it('is kept to where the field is refused, the next time at once', async () => {
    upstream.script(refusing)
    for (const times of [2, 3]) {
      expect(await whole(`lab/refusing-${runtime}`)).toEqual([['look'], 'tool_calls'])
      expect(upstream.seen).toHaveLength(times)
    }
  })

  it('is left to a provider that knows the field, whose bytes pass', async () => {
    upstream.script(json(200, callAnswer('look')))
    const reply = await both.ask(runtime, chat('lab/x', asked))
    expect(reply.text).toBe(JSON.stringify(callAnswer('look')))
    expect(bodies()).toEqual([chat('x', asked)])
  })

  it('may be none', async () => {
    upstream.script(json(200, chatAnswer('No.')))
    const [choice] = choicesOf((await both.ask(runtime, chat('tgi/x', asked))).text)
    expect(choice).toMatchObject({ message: { content: 'No.' }, finish_reason: 'stop' })
  })
})
