import llamaServer from '../fixtures/llama-server-0.7.0.json' with { type: 'json' }
import { block, event, message } from './anthropic-events.ts'

/**
 * What the recorded llama-server said, as Anthropic would say it by its documentation, since no key is at hand to record
 * it with: https://platform.claude.com/docs/en/build-with-claude/streaming. Imports no Node, because tests in workerd need
 * it too.
 */
export const anthropicName = 'anthropic-documented'

interface Message {
  readonly content?: string | null
  readonly reasoning_content?: string
  readonly tool_calls?: readonly Call[]
}

interface Call {
  readonly index?: number
  readonly id?: string
  readonly function?: { readonly name?: string; readonly arguments?: string }
}

interface Choice {
  readonly text?: string
  readonly message?: Message
  readonly delta?: Message
  readonly finish_reason?: string | null
}

interface Usage {
  readonly prompt_tokens: number
  readonly completion_tokens: number
  readonly prompt_tokens_details?: { readonly cached_tokens?: number }
}

interface Answer {
  readonly choices: readonly Choice[]
  readonly usage?: Usage
}

const reasons: Readonly<Record<string, string>> = { stop: 'end_turn', length: 'max_tokens', tool_calls: 'tool_use' }

export const anthropicCases = llamaServer.cases
  .filter(({ label, response }) => /^(chat|completions)/.test(label) && response.status === 200)
  .map((recorded) => ({
    ...recorded,
    response: { status: 200, headers: headersOf(recorded.label), body: bodyOf(recorded.response.body) },
  }))

function headersOf(label: string): Record<string, string> {
  return { 'content-type': label.includes('_stream') ? 'text/event-stream; charset=utf-8' : 'application/json' }
}

function bodyOf(body: string): string {
  if (!body.startsWith('data: ')) return JSON.stringify(whole(JSON.parse(body) as Answer))
  const lines = body.split('\n').filter((line) => line.startsWith('data: {'))
  return eventsOf(lines.map((line) => JSON.parse(line.slice('data: '.length)) as Answer))
}

function whole({ choices: [choice = {}], usage }: Answer): object {
  const { message: said, text } = choice
  const content = text ?? said?.content
  const blocks = [
    ...(said?.reasoning_content ? [{ type: 'thinking', thinking: said.reasoning_content, signature: 'c2ln' }] : []),
    ...(content ? [{ type: 'text', text: content }] : []),
    ...(said?.tool_calls ?? []).map(({ id, function: called }) => ({
      type: 'tool_use',
      id,
      name: called?.name,
      input: JSON.parse(called?.arguments || '{}') as object,
    })),
  ]
  const reason = reasons[choice.finish_reason ?? ''] ?? 'end_turn'
  return message(blocks, { model: 'tiny-chat', stop_reason: reason, usage: countOf(usage) })
}

/** One block after the other: thoughts, text, each call. */
function eventsOf(chunks: readonly Answer[]): string {
  const all = chunks.flatMap(({ choices }) => choices)
  const thoughts = all.flatMap(({ delta }) => delta?.reasoning_content || [])
  const texts = all.flatMap(({ delta, text }) => text || delta?.content || [])
  const calls = all.flatMap(({ delta }) => delta?.tool_calls ?? [])
  const places = [...new Set(calls.map(({ index = 0 }) => index))]
  const usage = countOf(chunks.find((chunk) => chunk.usage)?.usage)
  const reason = reasons[all.find((choice) => choice.finish_reason)?.finish_reason ?? ''] ?? 'end_turn'
  const blocks = [
    ...(thoughts.length > 0 ? [(at: number) => thoughtBlock(at, thoughts)] : []),
    ...(texts.length > 0 ? [(at: number) => textBlock(at, texts)] : []),
    ...places.map(
      (place) => (at: number) =>
        callBlock(
          at,
          calls.filter(({ index = 0 }) => index === place),
        ),
    ),
  ]
  const began = { ...usage, output_tokens: 1 }
  return [
    event('message_start', { message: message([], { model: 'tiny-chat', stop_reason: null, usage: began }) }),
    event('ping'),
    ...blocks.flatMap((made, at) => made(at)),
    event('message_delta', { delta: { stop_reason: reason, stop_sequence: null }, usage }),
    event('message_stop'),
  ].join('')
}

function thoughtBlock(at: number, thoughts: readonly string[]): string[] {
  const deltas = thoughts.map((thinking) => ({ type: 'thinking_delta', thinking }))
  return block(at, { type: 'thinking', thinking: '', signature: '' }, ...deltas, {
    type: 'signature_delta',
    signature: 'c2ln',
  })
}

function textBlock(at: number, texts: readonly string[]): string[] {
  return block(at, { type: 'text', text: '' }, ...texts.map((text) => ({ type: 'text_delta', text })))
}

function callBlock(at: number, pieces: readonly Call[]): string[] {
  const [first] = pieces
  const deltas = pieces.map((piece) => ({ type: 'input_json_delta', partial_json: piece.function?.arguments ?? '' }))
  return block(at, { type: 'tool_use', id: first?.id, name: first?.function?.name, input: {} }, ...deltas)
}

function countOf(usage: Usage = { prompt_tokens: 0, completion_tokens: 0 }): object {
  const cached = usage.prompt_tokens_details?.cached_tokens ?? 0
  return {
    input_tokens: usage.prompt_tokens - cached,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: cached,
    output_tokens: usage.completion_tokens,
  }
}
