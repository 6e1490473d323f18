import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import { InferenceClient } from '@huggingface/inference'
import type { AIMessageChunk, UsageMetadata } from '@langchain/core/messages'
import { ChatOpenAI } from '@langchain/openai'
import OpenAI from 'openai'
import OpenAI4 from 'openai4'
import { aiSdkOpenai } from './ai-sdk-openai.ts'
import { dataOf, type Parser, type Read } from './parsing.ts'

type Json = Record<string, unknown>
interface Call {
  id: string
  name: string
  arguments: string
}

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)

const read = (text: string, calls: readonly Call[], finish: unknown, usage: unknown): Read => ({
  text,
  calls: calls.map(({ name, arguments: text }) => ({ name, arguments: text })),
  finish: String(finish),
  usage,
})

const address = 'http://gateway.test/v1'

/** The answer to whatever a client asks. */
const answering = (stream: string) => async () =>
  new Response(stream, { headers: { 'content-type': 'text/event-stream' } })

/** The accumulator of the two major versions of `openai`, the strictest of the SDKs. */
async function accumulated(final: Promise<OpenAI.ChatCompletion>): Promise<Read> {
  const { choices, usage } = await final
  const [choice] = choices
  const calls = (choice?.message.tool_calls ?? []).map((call) => {
    if (call.type !== 'function') throw new Error('not a function')
    return { id: call.id, ...call.function }
  })
  if (new Set(calls.map(({ id }) => id)).size < calls.length) throw new Error('two calls with one id')
  return read(choice?.message.content ?? '', calls, choice?.finish_reason, usage)
}

const question = { model: 'm', messages: [], stream_options: { include_usage: true } }

const openai7: Parser = (stream) => {
  const client = new OpenAI({ baseURL: address, apiKey: 'k', maxRetries: 0, fetch: answering(stream) })
  return accumulated(client.chat.completions.stream(question).finalChatCompletion())
}

const openai4: Parser = (stream) => {
  // It has the types of the `fetch` that it brings along for old versions of Node.
  const fetch = answering(stream) as unknown as NonNullable<ConstructorParameters<typeof OpenAI4>[0]>['fetch']
  const client = new OpenAI4({ baseURL: address, apiKey: 'k', maxRetries: 0, fetch })
  return accumulated(client.beta.chat.completions.stream(question).finalChatCompletion())
}

const aiSdk: Parser = async (stream) => {
  const provider = createOpenAICompatible({
    name: 'gateway',
    baseURL: address,
    includeUsage: true,
    fetch: answering(stream),
  })
  const prompt = [{ role: 'user' as const, content: [{ type: 'text' as const, text: 'hi' }] }]
  const parts = (await provider('m').doStream({ prompt })).stream
  let text = ''
  let finish: string | undefined
  let usage: unknown
  const calls: Call[] = []
  for await (const part of parts) {
    if (part.type === 'error') throw part.error
    if (part.type === 'text-delta') text += part.delta
    if (part.type === 'tool-call') calls.push({ id: part.toolCallId, name: part.toolName, arguments: part.input })
    if (part.type !== 'finish') continue
    finish = part.finishReason.unified.replace('-', '_')
    usage = part.usage.raw
  }
  return read(text, calls, finish, usage)
}

const langchain: Parser = async (stream) => {
  const configuration = { baseURL: address, fetch: answering(stream) }
  const model = new ChatOpenAI({ model: 'm', apiKey: 'k', maxRetries: 0, streamUsage: true, configuration })
  let whole: AIMessageChunk | undefined
  for await (const chunk of await model.stream('hi')) whole = whole ? whole.concat(chunk) : chunk
  if (!whole) throw new Error('no chunk')
  const { content } = whole
  if (typeof content !== 'string') throw new Error('a content of parts')
  // Those whose arguments can't be parsed are apart, and so are lost.
  const parsed = new Set(whole.tool_calls?.map(({ id }) => id))
  const calls = (whole.tool_call_chunks ?? [])
    .filter(({ id }) => parsed.has(id))
    .map(({ id, name, args }) => ({ id: id ?? '', name: name ?? '', arguments: args ?? '' }))
  // The package's own type is `never` for a message of no declared structure.
  const spent = whole.usage_metadata as UsageMetadata | undefined
  return read(content, calls, whole.response_metadata.finish_reason, {
    prompt_tokens: spent?.input_tokens,
    completion_tokens: spent?.output_tokens,
    total_tokens: spent?.total_tokens,
  })
}

/** Its iterator, and what most programs make of the pieces. */
const pieces: Parser = async (stream) => {
  const client = new OpenAI({ baseURL: address, apiKey: 'k', maxRetries: 0, fetch: answering(stream) })
  let text = ''
  let finish: unknown
  let usage: unknown
  const calls = new Map<unknown, Call>()
  for await (const chunk of await client.chat.completions.create({ ...question, stream: true })) {
    usage = chunk.usage ?? usage
    const [choice] = chunk.choices
    if (!choice) continue
    text += choice.delta.content ?? ''
    finish = choice.finish_reason ?? finish
    for (const { index, id = '', function: said } of choice.delta.tool_calls ?? []) {
      const begun = calls.get(index)
      if (begun) begun.arguments += said?.arguments
      else calls.set(index, { id, name: said?.name ?? '', arguments: said?.arguments ?? '' })
    }
  }
  return read(text, [...calls.values()], finish, usage)
}

/** It leaves putting pieces together to its caller, who does as its documentation. */
const huggingface: Parser = async (stream) => {
  const client = new InferenceClient('k', { endpointUrl: address, fetch: answering(stream) })
  let text = ''
  let finish: unknown
  let usage: unknown
  const calls: Call[] = []
  for await (const chunk of client.chatCompletionStream(question)) {
    usage = chunk.usage ?? usage
    const [choice] = chunk.choices
    if (!choice) continue
    text += choice.delta.content ?? ''
    finish = choice.finish_reason ?? finish
    for (const { index, id, function: said } of choice.delta.tool_calls ?? []) {
      const begun = calls[index]
      if (begun) begun.arguments += said.arguments
      else calls[index] = { id, name: said.name ?? '', arguments: said.arguments }
    }
  }
  return read(text, calls, finish, usage)
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

/** The real packages. */
export const clients: Readonly<Record<string, Parser>> = {
  'openai 7': openai7,
  'openai 7 piece by piece': pieces,
  'openai 4': openai4,
  'AI SDK': aiSdk,
  LangChain: langchain,
  'huggingface.js': huggingface,
}

/** Readers that stand for no package that is at hand: one is Python, one is a schema, the last is the specification. */
export const readers: Readonly<Record<string, Parser>> = {
  'openai-python 0.27': openaiPython027,
  'AI SDK for OpenAI': aiSdkOpenai,
  'a strict schema': strict,
}
