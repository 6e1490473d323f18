import { itemsOf } from '../operations/responses/history.ts'
import { sealedThoughts } from '../operations/responses/output.ts'
import { identifier, type Random } from '../wire/ids.ts'
import { isObject, type JsonObject, stringAt } from '../wire/json.ts'

/** How the ids of items begin, by their types. */
const prefixes: Readonly<Record<string, string>> = {
  message: 'msg_',
  reasoning: 'rs_',
  function_call: 'fc_',
  function_call_output: 'fco_',
  custom_tool_call: 'ctc_',
  custom_tool_call_output: 'ctco_',
  compaction: 'cmp_',
}

/** The items of an input as clients read them back: each with an id and a type, a text as a list of parts. */
export function itemsToKeep(input: unknown, random: Random): readonly JsonObject[] {
  return itemsOf(input)
    .filter(isObject)
    .map((item) => {
      const { type = 'message', id, ...rest } = item
      const kept = isText(id) ? id : identifier(prefixes[String(type)] ?? 'item_', random, 48)
      if (type !== 'message') return { id: kept, type, ...rest }
      return { id: kept, type, status: 'completed', ...rest, content: partsOf(rest) }
    })
}

function partsOf({ role, content }: JsonObject): unknown {
  if (typeof content !== 'string') return content
  return role === 'assistant'
    ? [{ type: 'output_text', text: content, annotations: [], logprobs: [] }]
    : [{ type: 'input_text', text: content }]
}

/** The id of an item that stands for one which was said before; undefined if it is an item itself. */
export function referenceIn(item: unknown): string | undefined {
  if (!isObject(item)) return undefined
  const { type, role, content } = item
  const isReference = type === 'item_reference' || (type === undefined && role === undefined && content === undefined)
  return isReference ? stringAt(item, 'id') : undefined
}

/** Whether a client that asks for these things is told what only the model can read. */
export function seesThoughts(include: unknown): boolean {
  return Array.isArray(include) && include.includes(sealedThoughts)
}

/** An item as clients see it who don't ask for what only the model can read. */
export function withoutThoughts(item: JsonObject): JsonObject {
  const { encrypted_content: sealed, ...rest } = item
  return item.type === 'reasoning' && sealed !== undefined ? rest : item
}

/** The same of a response. */
export function withoutThoughtsIn(response: JsonObject): JsonObject {
  const { output } = response
  if (!Array.isArray(output) || !output.some((item) => isObject(item) && withoutThoughts(item) !== item))
    return response
  return { ...response, output: output.map((item) => (isObject(item) ? withoutThoughts(item) : item)) }
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}
