import { isObject, type JsonObject, objectAt, stringAt, tryParse } from '../../wire/json.ts'

/**
 * The events of a stream that says what a whole message says:
 * https://platform.claude.com/docs/en/build-with-claude/streaming
 */
export function eventsOf(message: JsonObject): readonly JsonObject[] {
  const { content, stop_reason, stop_sequence, stop_details, usage } = message
  const begun = { ...message, content: [], stop_reason: null, stop_sequence: null }
  const delta = { stop_reason, stop_sequence, ...(stop_details !== undefined && { stop_details }) }
  return [
    { type: 'message_start', message: begun },
    ...listOf(content).flatMap(blockEvents),
    { type: 'message_delta', delta, usage },
    { type: 'message_stop' },
  ]
}

/** The fields of a block that come in pieces: the type of their delta, and its own field. */
const pieces: Readonly<Record<string, readonly [type: string, field: string]>> = {
  text: ['text_delta', 'text'],
  thinking: ['thinking_delta', 'thinking'],
  signature: ['signature_delta', 'signature'],
}

function blockEvents(block: JsonObject, index: number): readonly JsonObject[] {
  const { type, input, citations } = block
  const said = isPieced(type) ? Object.keys(pieces).filter((name) => typeof block[name] === 'string') : []
  const deltas = said.flatMap((name) => {
    const [delta, field] = pieces[name] as (typeof pieces)[string]
    return block[name] === '' ? [] : [{ type: delta, [field]: block[name] }]
  })
  if (isObject(input)) deltas.push({ type: 'input_json_delta', partial_json: JSON.stringify(input) })
  for (const citation of listOf(citations)) deltas.push({ type: 'citations_delta', citation })
  const opening = {
    ...block,
    ...Object.fromEntries(said.map((name) => [name, ''])),
    ...(isObject(input) && { input: {} }),
    ...(Array.isArray(citations) && { citations: [] }),
  }
  return [
    { type: 'content_block_start', index, content_block: opening },
    ...deltas.map((delta) => ({ type: 'content_block_delta', index, delta })),
    { type: 'content_block_stop', index },
  ]
}

function isPieced(type: unknown): boolean {
  return type === 'text' || type === 'thinking'
}

/** The whole message that the events of a complete stream amount to. */
export function messageFrom(events: readonly JsonObject[]): JsonObject {
  const blocks: JsonObject[] = []
  const inputs = new Map<number, string>()
  let message: JsonObject = {}
  for (const event of events) {
    const { type, index, delta } = event
    const at = typeof index === 'number' ? index : 0
    const block = blocks[at] ?? {}
    if (type === 'message_start') message = objectAt(event, 'message') ?? {}
    else if (type === 'content_block_start') blocks[at] = objectAt(event, 'content_block') ?? {}
    else if (type === 'content_block_delta' && isObject(delta)) {
      if (delta.type === 'input_json_delta')
        inputs.set(at, (inputs.get(at) ?? '') + (stringAt(delta, 'partial_json') ?? ''))
      else blocks[at] = withDelta(block, delta)
    } else if (type === 'message_delta') {
      message = {
        ...message,
        ...objectAt(event, 'delta'),
        usage: { ...objectAt(message, 'usage'), ...objectAt(event, 'usage') },
      }
    }
  }
  for (const [at, text] of inputs)
    if (text !== '') blocks[at] = { ...blocks[at], input: tryParse(text) ?? { INVALID_JSON: text } }
  return { ...message, content: blocks }
}

function withDelta(block: JsonObject, delta: JsonObject): JsonObject {
  if (delta.type === 'citations_delta') {
    return { ...block, citations: [...listOf(block.citations), delta.citation] }
  }
  const [name, [, field] = []] = Object.entries(pieces).find(([, [type]]) => type === delta.type) ?? []
  if (name === undefined || field === undefined) return block
  return { ...block, [name]: (stringAt(block, name) ?? '') + (stringAt(delta, field) ?? '') }
}

function listOf(value: unknown): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : []
}
