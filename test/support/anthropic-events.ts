/** Messages and events in the shapes of Anthropic's documentation. Imports no Node, because tests in workerd need it too. */
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
