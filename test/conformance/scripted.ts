import type { ServerResponse } from 'node:http'
import { type FakeUpstream, fakeUpstream } from '../support/upstream.ts'
import { messagesAsChat, sendMessage } from './scripted-anthropic.ts'
import { asChatOf, embedContents, sendGenerated } from './scripted-gemini.ts'
import { extract, hubEntry, otherAnswers } from './scripted-media.ts'
import { type ResponseRequest, type Script, sendResponse } from './scripted-responses.ts'

interface Message {
  readonly content: string | readonly { readonly type: string }[]
}

interface Body {
  readonly model: string
  readonly stream?: boolean
  readonly stream_options?: { readonly include_usage?: boolean }
  readonly messages?: readonly Message[]
  readonly tools?: readonly unknown[]
  readonly response_format?: { readonly type: string }
}

const head = { id: 'chatcmpl-0123456789abcdefghijklmnopqrs', created: 1_700_000_000 }
const usage = {
  prompt_tokens: 9,
  completion_tokens: 12,
  total_tokens: 21,
  completion_tokens_details: { reasoning_tokens: 4 },
}

/** An upstream that answers each request as OpenAI's specification says, by what the request asks for. */
export function scriptedUpstream(): Promise<FakeUpstream> {
  return fakeUpstream((request, response) => {
    const { path, method, body: text } = request
    if (path.startsWith('/api/models/')) return hubEntry(response)
    if (method === 'GET') return send(response, { object: 'list', data: [model] })
    if (path.endsWith('/feature-extraction')) return extract(request, response)
    // Together's routes behind Hugging Face's router are OpenAI's, and so are some beside Gemini's own.
    const other = otherAnswers[path.replace(/^(\/together)?\/v1(beta\/openai)?/, '')]
    if (other) return other(request, response)
    const body = JSON.parse(text) as Body & ResponseRequest
    if (/:(batchE|e)mbedContents?$/.test(path)) return embedContents(request, response)
    const saying = (chat: Body) => sayingTo(chat, text)
    if (path.includes(':countTokens')) return send(response, { totalTokens: 9 })
    if (/:(stream)?generateContent/i.test(path)) {
      return sendGenerated(request, response, saying(asChatOf(JSON.parse(text))))
    }
    if (path.endsWith('/count_tokens')) return send(response, { input_tokens: 9 })
    if (path.endsWith('/messages')) {
      const asked = JSON.parse(text)
      return sendMessage(response, asked, saying(messagesAsChat(asked)))
    }
    if (path.endsWith('/responses')) return sendResponse(response, body, saying(asChat(body)))
    if (path.endsWith('/chat/completions')) return (body.stream ? streamChat : sendChat)(response, body, saying(body))
    if (path.endsWith('/completions')) return body.stream ? streamText(response, body) : sendText(response, body)
    return send(
      response,
      { error: { message: `nothing is scripted for ${path}`, type: 'x', param: null, code: null } },
      404,
    )
  })
}

const model = { id: 'scripted', object: 'model', created: head.created, owned_by: 'scripted' }

function asChat({ model, input, tools, text }: ResponseRequest): Body {
  const [{ content = '' } = {}] = typeof input === 'string' ? [{ content: input }] : input.slice(-1)
  const { format } = text ?? {}
  return { model, messages: [{ content }], ...(tools && { tools }), ...(format && { response_format: format }) }
}

const forced = /"tool_choice":("required"|\{"type":"(any|tool|function)")|"mode":"ANY"/
const shortest = /"max(_completion_tokens|_tokens|OutputTokens)":5\b/

/** What the model says to the last message. `request`: all of the request, in whatever terms. */
function sayingTo(chat: Body, request: string): Script {
  // What it says to what only some of the cases ask, so that each of these reaches it.
  if (request.includes('sunny')) return { content: 'It is sunny.', finish: 'stop' }
  if (request.includes('Say pong.')) return { content: 'pong', finish: 'stop' }
  if (request.includes('", 5"')) return { content: '1, 2, 3, 4', finish: 'stop' }
  if (shortest.test(request)) return { content: 'Once upon a', finish: 'length' }
  if (forced.test(request) && chat.tools) return { calls: [call('Paris', 0)], finish: 'tool_calls' }
  return saying(chat)
}

function saying({ messages = [], tools, response_format }: Body): Script {
  const { content = '' } = messages.at(-1) ?? {}
  const text = typeof content === 'string' ? content : ''
  if (tools) {
    const cities = ['Paris', 'Rome', 'San Francisco'].filter((city) => text.includes(city))
    if (cities.length > 0) return { calls: cities.map(call), finish: 'tool_calls' }
  }
  if (response_format?.type.startsWith('json')) return { content: '{"ok":true,"color":"red"}', finish: 'stop' }
  const saw = typeof content !== 'string' && content.some(({ type }) => type.includes('image'))
  const reasoning = text.includes('/think') ? { reasoning_content: 'The user wants me to think.' } : {}
  return { content: saw ? 'An image.' : 'Hello!', finish: 'stop', reasoning }
}

const call = (city: string, index: number) => ({
  id: `call_${index}123456789abcdefghijklm`,
  type: 'function',
  function: { name: 'get_weather', arguments: JSON.stringify({ city }) },
})

function sendChat(response: ServerResponse, body: Body, script: Script): void {
  const { content = null, calls, finish, reasoning } = script
  const message = { role: 'assistant', content, refusal: null, ...(calls && { tool_calls: calls }), ...reasoning }
  const choices = [{ index: 0, message, logprobs: null, finish_reason: finish }]
  send(response, { ...head, object: 'chat.completion', model: body.model, choices, usage })
}

function streamChat(response: ServerResponse, body: Body, script: Script): void {
  const { content, calls = [], finish, reasoning } = script
  const deltas = [
    { role: 'assistant', content: calls.length > 0 ? null : '', refusal: null },
    ...(reasoning ? [reasoning] : []),
    ...(content ? [{ content }] : []),
    ...calls.flatMap(({ function: { name, arguments: given }, ...call }, index) => [
      { tool_calls: [{ index, ...call, function: { name, arguments: '' } }] },
      { tool_calls: [{ index, function: { arguments: given } }] },
    ]),
  ]
  const choices = [...deltas.map((delta) => [delta, null]), [{}, finish]].map(([delta, reason]) => [
    { index: 0, delta, logprobs: null, finish_reason: reason },
  ])
  sendStream(response, body, 'chat.completion.chunk', choices)
}

function sendText(response: ServerResponse, body: Body): void {
  const choices = [{ index: 0, text: ' a time', logprobs: null, finish_reason: 'length' }]
  send(response, { ...head, object: 'text_completion', model: body.model, choices, usage })
}

function streamText(response: ServerResponse, body: Body): void {
  const choices = [
    [' a', null],
    [' time', 'length'],
  ].map(([text, reason]) => [{ index: 0, text, logprobs: null, finish_reason: reason }])
  sendStream(response, body, 'text_completion', choices)
}

function sendStream(response: ServerResponse, body: Body, object: string, choices: readonly object[][]): void {
  const told = body.stream_options?.include_usage
  const base = { ...head, object, model: body.model, ...(told && { usage: null }) }
  const chunks: object[] = choices.map((choice) => ({ ...base, choices: choice }))
  if (told) chunks.push({ ...base, choices: [], usage })
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  for (const chunk of chunks) response.write(`data: ${JSON.stringify(chunk)}\n\n`)
  response.end('data: [DONE]\n\n')
}

function send(response: ServerResponse, body: unknown, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}
