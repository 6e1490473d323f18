import { json, type Script, stream } from './upstream.ts'

/** A configuration with Anthropic behind `url`. */
export function anthropicAt(url: string) {
  return {
    providers: { anthropic: { type: 'anthropic', baseURL: url, apiKey: 'env:KEY' } },
    retries: 0,
  }
}

const usage = { input_tokens: 12, cache_creation_input_tokens: 0, cache_read_input_tokens: 0, output_tokens: 5 }

/** A whole message as https://platform.claude.com/docs/en/api/messages shows it. */
export function message(content: readonly object[], more: object = {}): object {
  return {
    model: 'claude-sonnet-4-5-20250929',
    id: 'msg_01XFDUDYJgAACzvnptvVoYEL',
    type: 'message',
    role: 'assistant',
    content,
    stop_reason: 'end_turn',
    stop_sequence: null,
    usage,
    ...more,
  }
}

export const says = (text: string): Script => json(200, message([{ type: 'text', text }]))

/** Answers with a text, or with a call where one is forced. */
export const keepsToChoice: Script = (request, ...rest) => {
  const { tool_choice: choice, tools } = JSON.parse(request.body) as Asked
  const isForced = choice?.type === 'any' || choice?.type === 'tool'
  const use = { type: 'tool_use', id: 'toolu_1', name: tools?.at(-1)?.name, input: {} }
  const answer = isForced ? message([use], { stop_reason: 'tool_use' }) : message([{ type: 'text', text: 'Hello' }])
  return json(200, answer)(request, ...rest)
}

interface Asked {
  readonly tool_choice?: { readonly type: string }
  readonly tools?: readonly { readonly name: string }[]
}

export function event(type: string, more: object = {}): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...more })}\n\n`
}

/** A block of a stream, with what comes between its start and its end. */
export function block(index: number, contentBlock: object, ...deltas: readonly object[]): string[] {
  return [
    event('content_block_start', { index, content_block: contentBlock }),
    ...deltas.map((delta) => event('content_block_delta', { index, delta })),
    event('content_block_stop', { index }),
  ]
}

export const start = event('message_start', {
  message: message([], { stop_reason: null, usage: { ...usage, output_tokens: 1 } }),
})

/** The end of a stream. */
export function stop(reason: string, more: object = {}): string[] {
  return [
    event('message_delta', {
      delta: { stop_reason: reason, stop_sequence: null, ...more },
      usage: { output_tokens: 5 },
    }),
    event('message_stop'),
  ]
}

/** The stream of https://platform.claude.com/docs/en/build-with-claude/streaming, with a ping as it has it. */
export function streams(blocks: readonly string[], reason = 'end_turn', more: object = {}): Script {
  return stream([start, event('ping'), ...blocks, ...stop(reason, more)])
}
