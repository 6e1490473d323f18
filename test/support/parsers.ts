import OpenAI from 'openai'
import type { Said } from './odd-streams.ts'

/** What a client makes of a stream; throws where the client does. */
export type Parser = (stream: string) => Promise<Read> | Read

export interface Read extends Said {
  readonly usage: unknown
}

type Json = Record<string, unknown>
interface Call {
  id: string
  name: string
  arguments: string
}

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)

/** The `data` of each event as a WHATWG reader sees it, up to `[DONE]`. */
function* dataOf(stream: string): Generator<string> {
  for (const event of stream.split(/(?:\r\n|\r|\n){2}/)) {
    const lines = event.split(/\r\n|\r|\n/).filter((line) => line.startsWith('data:'))
    if (lines.length === 0) continue
    const data = lines.map((line) => line.slice(5).replace(/^ /, '')).join('\n')
    if (data === '[DONE]') return
    yield data
  }
}

const read = (text: string, calls: readonly Call[], finish: unknown, usage: unknown): Read => ({
  text,
  calls: calls.map(({ name, arguments: text }) => ({ name, arguments: text })),
  finish: String(finish),
  usage,
})

/** The real package, whose accumulator is the strictest of the SDKs. */
const openaiNode: Parser = async (stream) => {
  const body = new Response(stream, { headers: { 'content-type': 'text/event-stream' } })
  const client = new OpenAI({ apiKey: 'k', maxRetries: 0, fetch: async () => body })
  const final = await client.chat.completions
    .stream({ model: 'm', messages: [], stream_options: { include_usage: true } })
    .finalChatCompletion()
  const [choice] = final.choices
  const calls = (choice?.message.tool_calls ?? []).map((call) => {
    if (call.type !== 'function') throw new Error('not a function')
    return { id: call.id, ...call.function }
  })
  if (new Set(calls.map(({ id }) => id)).size < calls.length) throw new Error('two calls with one id')
  return read(choice?.message.content ?? '', calls, choice?.finish_reason, final.usage)
}

/** openai-python 0.27: reads lines that begin with `data: `, and takes any `error` key for an error. */
const openaiPython027: Parser = (stream) => {
  let text = ''
  let finish: unknown
  let usage: unknown
  const calls = new Map<unknown, Call>()
  for (const line of stream.split(/\r\n|\r|\n/)) {
    if (!line.startsWith('data: ')) continue
    if (line.trim() === 'data: [DONE]') break
    const chunk = JSON.parse(line.slice(6)) as Json
    if ('error' in chunk) throw new TypeError('an error that is none')
    usage = chunk.usage ?? usage
    for (const choice of chunk.choices as Json[]) {
      const delta = choice.delta as Json
      if (delta.content) text += delta.content
      for (const call of (delta.tool_calls ?? []) as Json[]) {
        const said = call.function as Json
        const begun = calls.get(call.index)
        if (begun) begun.arguments += said.arguments
        else calls.set(call.index, { id: String(call.id), name: String(said.name), arguments: String(said.arguments) })
      }
      finish = choice.finish_reason ?? finish
    }
  }
  return read(text, [...calls.values()], finish, usage)
}

/** @ai-sdk/openai-compatible: a schema for each event, and calls told apart by their index. */
const aiSdk: Parser = (stream) => {
  let text = ''
  let finish: unknown
  let usage: unknown
  const calls: Call[] = []
  for (const data of dataOf(stream)) {
    const chunk = JSON.parse(data) as Json
    if (!isObject(chunk) || !Array.isArray(chunk.choices)) throw new TypeError('AI_TypeValidationError: choices')
    // The real one skips the chunk here, and loses its text.
    if ('error' in chunk) continue
    usage = chunk.usage ?? usage
    for (const choice of chunk.choices as Json[]) {
      if (choice.finish_reason !== null && choice.finish_reason !== undefined) finish = choice.finish_reason
      const delta = choice.delta
      if (!isObject(delta)) continue
      if (![undefined, null, 'assistant'].includes(delta.role as string))
        throw new TypeError('AI_TypeValidationError: role')
      nullish(delta.content, 'string')
      text += delta.content ?? ''
      if (delta.tool_calls && !Array.isArray(delta.tool_calls))
        throw new TypeError('AI_TypeValidationError: tool_calls')
      for (const call of (delta.tool_calls ?? []) as Json[]) {
        const said = call.function as Json
        nullish(call.id, 'string')
        nullish(said.name, 'string')
        nullish(said.arguments, 'string')
        const index = (call.index as number | undefined) ?? calls.length
        const begun = calls[index]
        if (begun) begun.arguments += said.arguments ?? ''
        else {
          if (!call.id || !said.name) throw new Error('AI_InvalidResponseDataError')
          calls[index] = { id: String(call.id), name: String(said.name), arguments: String(said.arguments ?? '') }
        }
      }
    }
  }
  if (finish === undefined || finish === '') throw new Error('Response stream ended without a finish reason')
  return read(text, calls.filter(Boolean), finish, usage)
}

function nullish(value: unknown, type: string): void {
  if (value !== null && value !== undefined && typeof value !== type) throw new TypeError(`not a ${type}`)
}

/** @langchain/openai: no role, no assistant; texts are joined key by key, names and ids replaced. */
const langchain: Parser = (stream) => {
  let text = ''
  let finish = ''
  let usage: unknown
  let role: unknown
  const calls = new Map<unknown, Call>()
  for (const data of dataOf(stream)) {
    const chunk = JSON.parse(data) as Json
    if (chunk.error) throw new Error(String(chunk.error))
    if (chunk.usage) usage = chunk.usage
    const [choice] = (chunk.choices ?? []) as Json[]
    if (!choice || !isObject(choice.delta)) continue
    role = choice.delta.role ?? role
    if (role !== 'assistant') throw new Error('a message that is not the assistant’s')
    if (choice.delta.content && typeof choice.delta.content !== 'string') throw new Error('a content of parts')
    text += choice.delta.content ?? ''
    finish += choice.finish_reason ?? ''
    for (const call of (choice.delta.tool_calls ?? []) as Json[]) {
      const said = call.function as Json
      const begun = calls.get(call.index)
      if (!begun)
        calls.set(call.index, { id: String(call.id ?? ''), name: String(said.name), arguments: String(said.arguments) })
      else {
        begun.id = (call.id as string) || begun.id
        begun.name = (said.name as string) || begun.name
        begun.arguments += said.arguments ?? ''
      }
    }
  }
  const whole = [...calls.values()].filter(({ id, arguments: said }) => id !== '' && JSON.parse(said) !== undefined)
  return read(text, whole, finish, usage)
}

/** A schema with every key that the specification requires, and nothing else in its place. */
const strict: Parser = (stream) => {
  let text = ''
  let finish: unknown
  let usage: unknown
  const begun = new Set<unknown>()
  const calls: Call[] = []
  const ids = new Set<string>()
  for (const data of dataOf(stream)) {
    const chunk = JSON.parse(data) as Json
    must(typeof chunk.id === 'string' && chunk.id !== '' && typeof chunk.model === 'string', 'id and model')
    must(chunk.object === 'chat.completion.chunk' && Number.isInteger(chunk.created), 'object and created')
    must(Array.isArray(chunk.choices) && !('error' in chunk), 'choices and no error')
    if (chunk.usage) {
      must(usage === undefined && (chunk.choices as unknown[]).length === 0, 'usage once, by itself')
      usage = chunk.usage
    } else must(usage === undefined, 'usage last')
    for (const choice of chunk.choices as Json[]) {
      must(Number.isInteger(choice.index) && isObject(choice.delta), 'index and delta')
      must(
        [null, 'stop', 'length', 'tool_calls', 'content_filter'].includes(choice.finish_reason as null),
        'finish_reason',
      )
      const delta = choice.delta as Json
      must(
        begun.has(choice.index) ? [undefined, 'assistant'].includes(delta.role as string) : delta.role === 'assistant',
        'role',
      )
      begun.add(choice.index)
      must(['string', 'undefined'].includes(typeof delta.content) || delta.content === null, 'content')
      must(!('tool_calls' in delta) || Array.isArray(delta.tool_calls), 'tool_calls')
      must(delta.function_call !== null, 'function_call')
      text += delta.content ?? ''
      finish = choice.finish_reason ?? finish
      for (const call of (delta.tool_calls ?? []) as Json[]) addStrict(call, calls, ids)
    }
  }
  return read(text, calls.filter(Boolean), finish, usage)
}

function addStrict(call: Json, calls: Call[], ids: Set<string>): void {
  const { index } = call
  const said = call.function as Json
  must(typeof index === 'number' && isObject(said) && typeof said.arguments === 'string', 'index and arguments')
  const begun = calls[index as number]
  if (begun) {
    must(!('id' in call) && !('type' in call) && !('name' in said), 'later pieces have only arguments')
    begun.arguments += said.arguments
    return
  }
  must(typeof call.id === 'string' && call.id.length > 1 && !ids.has(call.id), 'an id of its own')
  must(call.type === 'function' && typeof said.name === 'string' && said.name !== '', 'type and name')
  ids.add(String(call.id))
  calls[index as number] = { id: String(call.id), name: String(said.name), arguments: String(said.arguments) }
}

function must(holds: boolean, what: string): void {
  if (!holds) throw new TypeError(`invalid: ${what}`)
}

export const parsers: Readonly<Record<string, Parser>> = {
  'openai for Node': openaiNode,
  'openai-python 0.27': openaiPython027,
  'AI SDK': aiSdk,
  LangChain: langchain,
  'a strict schema': strict,
}
