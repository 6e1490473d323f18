import { event, message, start, stop } from './anthropic-events.ts'
import { json, type Script, stream } from './upstream.ts'

/** A configuration with Anthropic behind `url`. */
export function anthropicAt(url: string) {
  return {
    providers: { anthropic: { type: 'anthropic', baseURL: url, apiKey: 'env:KEY' } },
    retries: 0,
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

/** The stream of https://platform.claude.com/docs/en/build-with-claude/streaming, with a ping as it has it. */
export function streams(blocks: readonly string[], reason = 'end_turn', more: object = {}): Script {
  return stream([start, event('ping'), ...blocks, ...stop(reason, more)])
}
