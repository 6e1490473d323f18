import type { OperationSpec } from '../../src/core/provider.ts'
import { countAnswer } from '../../src/operations/responses/count.ts'
import { toChat } from '../../src/operations/responses/request.ts'
import { jsonOf, malformed, posted } from '../exchange.ts'
import { anthropicURL, countPath } from './address.ts'
import { messagesRequest } from './request.ts'

/** What counts: https://platform.claude.com/docs/en/api/messages/count_tokens */
const counted = ['model', 'messages', 'system', 'tools', 'tool_choice', 'thinking', 'output_config'] as const

/** Counts the tokens of a request for a response by those of its chat. */
export const countInput: NonNullable<OperationSpec['serve']> = async (request) => {
  const { body, model, random, maxOutput } = request.context
  const { chat } = toChat(body)
  const asked = messagesRequest({ body: chat, model, id: '', created: 0, random, maxOutput })
  const sent = Object.fromEntries(counted.flatMap((name) => (asked[name] === undefined ? [] : [[name, asked[name]]])))
  const { input_tokens: count } = await jsonOf(await posted(request, anthropicURL(request.settings) + countPath, sent))
  if (typeof count !== 'number') throw malformed('no number of tokens')
  return countAnswer(count)
}
