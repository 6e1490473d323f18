import type { Operation } from '../../core/operation.ts'
import type { Translated, Translation } from '../../core/translation.ts'
import { parseBody, type RequestBody } from '../../wire/body.ts'
import { GatewayError } from '../../wire/errors.ts'
import { identifier } from '../../wire/ids.ts'
import { isObject, type JsonObject, objectAt, stringAt } from '../../wire/json.ts'
import { chat } from '../chat.ts'
import { inOwnTerms, toChat } from './request.ts'
import { responseOf } from './response.ts'
import { sealed } from './thoughts.ts'
import { unsealed } from './unsealed.ts'

const question =
  'Write down what you need to go on with this conversation once all of it but the messages of the user is gone: what ' +
  'was asked for, what was done and decided, what was learnt, with the names, paths, commands and values that matter, ' +
  'and what is left to do. Answer with nothing but this summary.'

const introduction = 'This is a summary of what was said before:'

/** Has the model itself sum the conversation up. */
export const compactionOverChat: Translation<Operation> = {
  operation: chat,
  direct: unsealed,
  failure: inOwnTerms,
  begin(body: RequestBody, { random, clock, model }): Translated {
    // Nothing is to be called now, nor to be written in another form than text.
    const { tools: _, tool_choice: __, text: ___, stream: ____, ...asked } = body.json
    const { chat: request, dropped } = toChat(asked)
    const messages = [...(request.messages as readonly JsonObject[]), { role: 'user', content: question }]
    const created = Math.floor(clock.now() / 1000)
    return {
      body: parseBody(encoder.encode(JSON.stringify({ ...request, messages }))),
      dropped,
      answer(answer) {
        const head = { id: identifier('resp_', random, 48), created, model, tier: 'default' }
        const usage = objectAt(answer, 'usage')
        const summary = { type: 'compaction', id: identifier('cmp_', random, 32), encrypted_content: summaryIn(answer) }
        return {
          id: head.id,
          object: 'response.compaction',
          created_at: created,
          output: [...keptOf(asked.input).map((item) => ({ id: identifier('msg_', random, 32), ...item })), summary],
          usage: responseOf(asked, head, { status: 'completed', output: [], usage }).usage,
        }
      },
    }
  },
}

const encoder = new TextEncoder()

/** Half a summary is none: what it lacks would be gone for good. */
function summaryIn({ choices }: JsonObject): string {
  const choice: unknown = Array.isArray(choices) ? choices[0] : undefined
  const text = isObject(choice) ? stringAt(choice.message, 'content')?.trim() : undefined
  if (!text || !isObject(choice) || choice.finish_reason === 'length') {
    throw new GatewayError('protocol', 'The model wrote no whole summary of the conversation.')
  }
  return sealed(`${introduction}\n\n${text}`)
}

/** The messages that are kept word for word: all but the assistant's. */
function keptOf(input: unknown): readonly JsonObject[] {
  if (typeof input === 'string') return [kept('user', input)]
  if (!Array.isArray(input)) return []
  return input
    .filter(isObject)
    .flatMap(({ type = 'message', role, content }) =>
      type === 'message' && typeof role === 'string' && role !== 'assistant' ? [kept(role, content)] : [],
    )
}

function kept(role: string, content: unknown): JsonObject {
  const parts = typeof content === 'string' ? [{ type: 'input_text', text: content }] : content
  return { type: 'message', status: 'completed', role, content: parts }
}
