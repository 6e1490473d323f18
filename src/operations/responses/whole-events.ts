import { isObject, type JsonObject } from '../../wire/json.ts'

type Tell = (event: string, fields: JsonObject) => void

/** The events of a stream that says what a whole response says. */
export function eventsOf(response: JsonObject): readonly JsonObject[] {
  const events: JsonObject[] = []
  const tell: Tell = (event, fields) =>
    events.push({ type: `response.${event}`, sequence_number: events.length, ...fields })
  const begun = { ...response, status: 'in_progress', output: [], usage: null, incomplete_details: null }
  tell('created', { response: begun })
  tell('in_progress', { response: begun })
  for (const [index, item] of listOf(response.output).entries()) tellItem(item, index, tell)
  tell(endOf(response), { response })
  return events
}

function endOf({ status = 'completed' }: JsonObject): string {
  return status === 'completed' || status === 'failed' ? status : 'incomplete'
}

/** The texts of calls: what events say of them, and with which fields besides. */
const calls: readonly (readonly [field: string, event: string, more: readonly string[]])[] = [
  ['arguments', 'function_call_arguments', ['name']],
  ['input', 'custom_tool_call_input', []],
]

function tellItem(item: JsonObject, index: number, tell: Tell): void {
  const place = { item_id: item.id, output_index: index }
  tell('output_item.added', { output_index: index, item: begunItem(item) })
  for (const [at, part] of listOf(item.summary).entries()) tellPart(part, { ...place, summary_index: at }, tell)
  for (const [at, part] of listOf(item.content).entries()) tellPart(part, { ...place, content_index: at }, tell)
  for (const [field, event, more] of calls) {
    const text = item[field]
    if (typeof text !== 'string') continue
    if (text !== '') tell(`${event}.delta`, { ...place, delta: text })
    tell(`${event}.done`, { ...place, ...picked(item, [...more, field]) })
  }
  tell('output_item.done', { output_index: index, item })
}

function begunItem(item: JsonObject): JsonObject {
  return {
    ...item,
    ...(item.status !== undefined && { status: 'in_progress' }),
    ...Object.fromEntries(['summary', 'content'].flatMap((name) => (Array.isArray(item[name]) ? [[name, []]] : []))),
    ...Object.fromEntries(calls.flatMap(([name]) => (typeof item[name] === 'string' ? [[name, '']] : []))),
  }
}

/** What events say of a part, of which field, and with which fields besides. */
const parts: Readonly<Record<string, readonly [event: string, field: string, more: JsonObject]>> = {
  output_text: ['output_text', 'text', { logprobs: [] }],
  refusal: ['refusal', 'refusal', {}],
  reasoning_text: ['reasoning_text', 'text', {}],
  summary_text: ['reasoning_summary_text', 'text', {}],
}

function tellPart(part: JsonObject, place: JsonObject, tell: Tell): void {
  const around = 'summary_index' in place ? 'reasoning_summary_part' : 'content_part'
  const [event, field, more] = parts[String(part.type)] ?? []
  tell(`${around}.added`, { ...place, part: field ? { ...part, [field]: '', ...emptied(part) } : part })
  if (event && field) {
    const said = { ...more, ...picked(part, Object.keys(more ?? {})) }
    if (part[field] !== '') tell(`${event}.delta`, { ...place, delta: part[field], ...said })
    tell(`${event}.done`, { ...place, [field]: part[field], ...said })
  }
  tell(`${around}.done`, { ...place, part })
}

function emptied(part: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(part).flatMap(([name, value]) => (Array.isArray(value) ? [[name, []]] : [])))
}

function picked(from: JsonObject, names: readonly string[]): JsonObject {
  return Object.fromEntries(names.flatMap((name) => (from[name] === undefined ? [] : [[name, from[name]]])))
}

function listOf(value: unknown): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : []
}
