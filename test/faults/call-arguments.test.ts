import { describe, expect, it } from 'vitest'
import { chat, contentOf, errorOf } from '../support/ask.ts'
import { runtimes, startBoth } from '../support/both.ts'
import { duringTests } from '../support/during-tests.ts'
import { serveUpstreams } from '../support/gateway.ts'
import { chatAnswer, json, type Script } from '../support/upstream.ts'

/** Ollama, which takes objects as arguments only, and on its `/v1` only texts of them. */
const ollama: Script = (request, ...rest) => {
  const calls = JSON.parse(request.body).messages[1].tool_calls as { function: { arguments: unknown } }[]
  const wanted = request.path === '/api/chat' ? 'object' : 'string'
  if (calls.some(({ function: { arguments: given } }) => typeof given !== wanted)) {
    return json(400, { error: 'json: cannot unmarshal tool_calls.function.arguments' })(request, ...rest)
  }
  const message = { role: 'assistant', content: 'from Ollama' }
  const answer = { model: 'm', message, done: true, done_reason: 'stop' }
  return json(200, request.path === '/api/chat' ? answer : chatAnswer('from Ollama'))(request, ...rest)
}

const { upstream, elsewhere } = serveUpstreams({
  upstream: ollama,
  elsewhere: json(200, chatAnswer('from elsewhere')),
})
const both = duringTests(() =>
  startBoth('call-arguments', {
    providers: {
      ollama: { type: 'ollama', baseURL: upstream.url },
      compat: { type: 'ollama', baseURL: upstream.url, api: 'openai' },
      other: { type: 'openai-compatible', baseURL: elsewhere.url },
    },
    models: {
      safe: { deployments: ['ollama/m'], fallbacks: ['other/m'] },
      'safe-compat': { deployments: ['compat/m'], fallbacks: ['other/m'] },
    },
    retries: 0,
  }),
)

/** A conversation in which a tool was called with `given`; undefined leaves the arguments out. */
const history = (model: string, ...given: unknown[]) =>
  chat(model, {
    messages: [
      { role: 'user', content: 'what time is it, and what does {"city": mean?' },
      {
        role: 'assistant',
        content: null,
        tool_calls: given.map((one, at) => ({
          id: `c${at}`,
          type: 'function',
          function: { name: 'now', arguments: one },
        })),
      },
      ...given.map((_, at) => ({ role: 'tool', tool_call_id: `c${at}`, content: 'noon' })),
    ],
  })

const sentArguments = () =>
  JSON.parse(upstream.seen.at(-1)?.body ?? '').messages[1].tool_calls.map(
    (call: { function: { arguments: unknown } }) => call.function.arguments,
  )

const param = 'messages[1].tool_calls[0].function.arguments'

describe.each(runtimes)('A history with tool calls, on %s,', (runtime) => {
  it.each([undefined, null, '', ' ', '\n', 'null', ' null ', '{}', '[]', '""', '"{}"', 'None', 'undefined', {}, []])(
    'may say %j for a call without arguments',
    async (given) => {
      const reply = await both.ask(runtime, history('ollama/m', given, '{"a":1}'))
      expect([reply.status, reply.text]).toEqual([200, expect.stringContaining('from Ollama')])
      expect(sentArguments()).toEqual([{}, { a: 1 }])
      await both.ask(runtime, history('compat/m', given, '{"a": 1.0}'))
      expect(sentArguments()).toEqual(['{}', '{"a": 1.0}'])
    },
  )

  it.each(['{"city":', '{"city":"Par', '[1]', 'Paris', '{"a":1}{"b":2}', 7])(
    'goes to a provider that takes any text if its arguments are %j',
    async (given) => {
      for (const model of ['safe', 'safe-compat']) {
        const reply = await both.ask(runtime, history(model, given))
        expect([reply.status, contentOf(reply.text)]).toEqual([200, 'from elsewhere'])
        expect(JSON.parse(elsewhere.seen.at(-1)?.body ?? '')).toEqual(history('m', given))
      }
      upstream.seen.length = 0
      const refused = await both.ask(runtime, history('ollama/m', given))
      expect(refused.status).toBe(400)
      const error = errorOf(refused)
      expect(error).toMatchObject({ type: 'invalid_request_error', code: 'invalid_value', param })
      expect(error.message).toContain(param)
      expect(upstream.seen).toEqual([])
    },
  )
})
