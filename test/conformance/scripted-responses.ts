import type { ServerResponse } from 'node:http'

/** What a scripted model says. */
export interface Script {
  readonly content?: string
  readonly finish: string
  readonly calls?: readonly {
    readonly id: string
    readonly function: { readonly name: string; readonly arguments: string }
  }[]
  readonly reasoning?: { readonly reasoning_content?: string }
}

export interface ResponseRequest {
  readonly model: string
  readonly stream?: boolean
  readonly input: string | readonly { readonly content: string | readonly { readonly type: string }[] }[]
  readonly tools?: readonly Record<string, unknown>[]
  readonly text?: { readonly format?: { readonly type: string } }
  readonly reasoning?: { readonly summary?: string }
}

type Item = Readonly<Record<string, unknown>>
type Emit = (type: string, fields: object) => void

const usage = {
  input_tokens: 9,
  input_tokens_details: { cached_tokens: 0, cache_write_tokens: 0 },
  output_tokens: 12,
  output_tokens_details: { reasoning_tokens: 4 },
  total_tokens: 21,
}

/** Answers as OpenAI itself does, with the events of its specification and without a `[DONE]`. */
export function sendResponse(response: ServerResponse, asked: ResponseRequest, script: Script): void {
  const items = itemsOf(asked, script)
  const whole = (status: string, output: readonly Item[]) => ({
    ...{
      id: 'resp_0123456789abcdef',
      object: 'response',
      created_at: 1_700_000_000,
      status,
      model: asked.model,
      output,
    },
    ...{ error: null, incomplete_details: null, instructions: null, metadata: {}, temperature: 1, top_p: 1 },
    ...{ parallel_tool_calls: true, tool_choice: 'auto', tools: (asked.tools ?? []).map(echoed), store: true },
    usage: status === 'completed' ? usage : null,
  })
  if (!asked.stream) {
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(whole('completed', items)))
    return
  }
  let number = 0
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' })
  const emit: Emit = (type, fields) => {
    const data = JSON.stringify({ type: `response.${type}`, sequence_number: number++, ...fields })
    response.write(`event: response.${type}\ndata: ${data}\n\n`)
  }
  emit('created', { response: whole('in_progress', []) })
  emit('in_progress', { response: whole('in_progress', []) })
  for (const [at, item] of items.entries()) emitItem(item, at, emit)
  emit('completed', { response: whole('completed', items) })
  response.end()
}

/** Every field that a tool of OpenAI's answers has. */
const echoed = (tool: Item) => ({ description: null, strict: true, parameters: null, ...tool })

function itemsOf({ reasoning: wanted }: ResponseRequest, { content, calls = [], reasoning }: Script): readonly Item[] {
  const thought = reasoning?.reasoning_content
  const thoughts = thought
    ? [
        wanted?.summary
          ? { id: 'rs_1', type: 'reasoning', summary: [{ type: 'summary_text', text: thought }] }
          : { id: 'rs_1', type: 'reasoning', summary: [], content: [{ type: 'reasoning_text', text: thought }] },
      ]
    : []
  const part = { type: 'output_text', text: content, annotations: [], logprobs: [] }
  const message = { id: 'msg_1', type: 'message', status: 'completed', role: 'assistant', content: [part] }
  return [
    ...thoughts,
    ...(content ? [message] : []),
    ...calls.map(({ id, function: { name, arguments: given } }) => ({
      ...{ id: `fc_${id}`, type: 'function_call', status: 'completed', call_id: id, name, arguments: given },
    })),
  ]
}

function emitItem(item: Item, output_index: number, emit: Emit): void {
  const { id: item_id, type, arguments: given, name } = item
  const empty = type === 'function_call' ? { arguments: '' } : type === 'reasoning' ? { summary: [] } : { content: [] }
  emit('output_item.added', {
    output_index,
    item: { ...item, ...(item.status ? { status: 'in_progress' } : {}), ...empty },
  })
  if (type === 'function_call') {
    emit('function_call_arguments.delta', { item_id, output_index, delta: given })
    emit('function_call_arguments.done', { item_id, output_index, name, arguments: given })
  }
  for (const part of (item.content ?? item.summary ?? []) as readonly Item[])
    emitPart(part, { item_id, output_index }, emit)
  emit('output_item.done', { output_index, item })
}

function emitPart(part: Item, owner: object, emit: Emit): void {
  const { type, text } = part
  const isSummary = type === 'summary_text'
  const place = { ...owner, ...(isSummary ? { summary_index: 0 } : { content_index: 0 }) }
  const [around, inside] = isSummary
    ? ['reasoning_summary_part', 'reasoning_summary_text']
    : ['content_part', String(type)]
  const logprobs = type === 'output_text' ? { logprobs: [] } : {}
  emit(`${around}.added`, { ...place, part: { ...part, text: '' } })
  emit(`${inside}.delta`, { ...place, delta: text, ...logprobs })
  emit(`${inside}.done`, { ...place, text, ...logprobs })
  emit(`${around}.done`, { ...place, part })
}
