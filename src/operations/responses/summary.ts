import { GatewayError } from '../../wire/errors.ts'
import { identifier, type Random } from '../../wire/ids.ts'
import { isObject, type JsonObject, stringAt } from '../../wire/json.ts'
import type { Teller } from './items.ts'
import type { Said } from './output.ts'
import { type AsChat, toChat } from './request.ts'
import { sealed } from './thoughts.ts'

const question =
  'Write down what you need to go on with this conversation once all of it but the messages of the user is gone: what ' +
  'was asked for, what was done and decided, what was learnt, with the names, paths, commands and values that matter, ' +
  'and what is left to do. Answer with nothing but this summary.'

const introduction = 'This is a summary of what was said before:'

/** A chat in which the model sums a conversation up. Nothing is to be called now, nor written in another form than text. */
export function summingUp({ tools: _, tool_choice: __, text: ___, ...asked }: JsonObject): AsChat {
  const { chat, ...rest } = toChat(asked)
  const messages = [...answered(chat.messages as readonly JsonObject[]), { role: 'user', content: question }]
  return { ...rest, chat: { ...chat, messages } }
}

/** Without calls whose results have not come: servers refuse those before another message. */
function answered(messages: readonly JsonObject[]): readonly JsonObject[] {
  const results = new Set(messages.map(({ tool_call_id: id }) => id))
  return messages.flatMap((message) => {
    const { tool_calls: calls, ...rest } = message
    if (!Array.isArray(calls)) return [message]
    const kept = calls.filter((call: unknown) => results.has(stringAt(call, 'id')))
    if (kept.length > 0) return [{ ...rest, tool_calls: kept }]
    return rest.content === null ? [] : [rest]
  })
}

/** Makes the only item of a compaction from a summary. */
export class Summary implements Said {
  readonly #teller: Teller | undefined
  readonly #id: string
  #text = ''
  items: JsonObject[] = []

  constructor(random: Random, teller?: Teller) {
    this.#teller = teller
    this.#id = identifier('cmp_', random, 32)
  }

  add({ content }: JsonObject): void {
    if (typeof content === 'string') this.speak(content)
  }

  speak(text: string): void {
    this.#text += text
  }

  /** Half a summary is none: what it lacks would be gone for good. */
  finish(status: 'completed' | 'incomplete'): void {
    const text = this.#text.trim()
    if (text === '' || status === 'incomplete') {
      throw new GatewayError('protocol', 'The model wrote no whole summary of the conversation.')
    }
    const item = { id: this.#id, type: 'compaction', encrypted_content: sealed(`${introduction}\n\n${text}`) }
    this.#teller?.tell('output_item.added', { output_index: 0, item })
    this.#teller?.tell('output_item.done', { output_index: 0, item })
    this.items = [item]
  }
}

/** The messages that are kept word for word: all but the assistant's. */
export function keptOf(input: unknown): readonly JsonObject[] {
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
