import type { ServerResponse } from 'node:http'
import { block, event, message } from '../support/anthropic-events.ts'
import type { Script } from './scripted-responses.ts'

interface Block {
  readonly type: string
  readonly text?: string
}

interface MessagesRequest {
  readonly stream?: boolean
  readonly messages: readonly { readonly content: string | readonly Block[] }[]
  readonly tools?: readonly { readonly name: string }[]
  readonly tool_choice?: { readonly name?: string }
  readonly stop_sequences?: readonly string[]
  readonly output_config?: { readonly format?: object }
}

/** The tool whose input is the answer where JSON is asked for. */
const answerTool = 'answer_in_json'

/** What a request for a message asks, in the terms of a chat. */
export function messagesAsChat({ messages, tools = [], output_config: config }: MessagesRequest) {
  const { content = [] } = messages.at(-1) ?? {}
  const blocks = typeof content === 'string' ? [{ type: 'text', text: content }] : content
  const isForJson = tools.some(({ name }) => name === answerTool)
  const offered = tools.filter(({ name }) => name !== answerTool)
  const hasImage = blocks.some(({ type }) => type === 'image')
  return {
    model: 'scripted',
    messages: [{ content: hasImage ? [{ type: 'image_url' }] : blocks.map(({ text = '' }) => text).join('') }],
    ...(offered.length > 0 && { tools: offered }),
    ...((isForJson || config?.format) && { response_format: { type: 'json_object' } }),
  }
}

const usage = {
  ...{ input_tokens: 9, cache_creation_input_tokens: 0, cache_read_input_tokens: 0, output_tokens: 12 },
  output_tokens_details: { thinking_tokens: 4 },
}

/** Answers as https://platform.claude.com/docs/en/api/messages says, whole or as events. */
export function sendMessage(response: ServerResponse, asked: MessagesRequest, script: Script): void {
  const thought = script.reasoning?.reasoning_content
  const isForJson = asked.tools?.some(({ name }) => name === answerTool) && script.content
  const uses = isForJson
    ? [{ id: 'toolu_answer', name: answerTool, text: script.content ?? '' }]
    : (script.calls ?? []).map(({ id, function: { name, arguments: text } }) => ({ id, name, text }))
  const text = isForJson ? undefined : script.content
  const told = { model: 'scripted', usage, ...stopOf(asked, script, uses.length > 0) }
  if (!asked.stream) {
    const blocks = [
      ...(thought ? [{ type: 'thinking', thinking: thought, signature: 'c2ln' }] : []),
      ...(text ? [{ type: 'text', text }] : []),
      ...uses.map(({ id, name, text }) => ({ type: 'tool_use', id, name, input: JSON.parse(text) as object })),
    ]
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(message(blocks, told)))
    return
  }
  const made: ((at: number) => string[])[] = [
    ...(thought
      ? [(at: number) => block(at, { type: 'thinking', thinking: '' }, { type: 'thinking_delta', thinking: thought })]
      : []),
    ...(text ? [(at: number) => block(at, { type: 'text', text: '' }, { type: 'text_delta', text })] : []),
    ...uses.map(
      ({ id, name, text }) =>
        (at: number) =>
          block(at, { type: 'tool_use', id, name, input: {} }, { type: 'input_json_delta', partial_json: text }),
    ),
  ]
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' })
  response.write(event('message_start', { message: message([], { ...told, stop_reason: null, stop_sequence: null }) }))
  for (const [at, make] of made.entries()) for (const piece of make(at)) response.write(piece)
  const { stop_reason, stop_sequence } = told
  response.write(event('message_delta', { delta: { stop_reason, stop_sequence }, usage }))
  response.end(event('message_stop'))
}

function stopOf({ stop_sequences: sequences }: MessagesRequest, { finish }: Script, calls: boolean) {
  const [sequence] = sequences ?? []
  if (sequence !== undefined) return { stop_reason: 'stop_sequence', stop_sequence: sequence }
  const reason = calls ? 'tool_use' : finish === 'length' ? 'max_tokens' : 'end_turn'
  return { stop_reason: reason, stop_sequence: null }
}
