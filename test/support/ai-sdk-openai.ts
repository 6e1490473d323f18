import * as v from 'valibot'
import { dataOf, type Parser } from './parsing.ts'

const text = v.nullish(v.string())
const call = v.object({
  index: v.number(),
  id: text,
  type: v.nullish(v.literal('function')),
  function: v.object({ name: text, arguments: text }),
})
const delta = v.object({
  role: v.nullish(v.literal('assistant')),
  content: text,
  tool_calls: v.nullish(v.array(call)),
  annotations: v.nullish(v.array(v.object({ type: v.literal('url_citation') }))),
})
const probability = v.object({ token: v.string(), logprob: v.number() })
const token = v.object({ ...probability.entries, top_logprobs: v.array(probability) })
const choice = v.object({
  index: v.number(),
  delta: v.nullish(delta),
  logprobs: v.nullish(v.object({ content: v.nullish(v.array(token)) })),
  finish_reason: text,
})
const chunk = v.object({
  id: text,
  created: v.nullish(v.number()),
  model: text,
  choices: v.array(choice),
  usage: v.nullish(v.looseObject({ total_tokens: v.nullish(v.number()) })),
})

const finishes: Readonly<Record<string, string>> = {
  stop: 'stop',
  length: 'length',
  content_filter: 'content_filter',
  function_call: 'tool_calls',
  tool_calls: 'tool_calls',
}

/** The rules of `@ai-sdk/openai`, whose schema is stricter than that of `@ai-sdk/openai-compatible`. */
export const aiSdkOpenai: Parser = (stream) => {
  const said = { text: '', finish: 'other', usage: undefined as unknown }
  const calls = new Map<number, { id: string; name: string; arguments: string }>()
  for (const data of dataOf(stream)) {
    const json = JSON.parse(data) as { error?: { message?: unknown } }
    if (json.error && typeof json.error.message === 'string') throw new Error(json.error.message)
    const { choices, usage } = v.parse(chunk, json)
    said.usage = usage ?? said.usage
    const [first] = choices
    if (!first) continue
    if (first.finish_reason) said.finish = finishes[first.finish_reason] ?? 'other'
    said.text += first.delta?.content ?? ''
    for (const { index, id, function: given } of first.delta?.tool_calls ?? []) {
      const begun = calls.get(index)
      if (begun) begun.arguments += given.arguments ?? ''
      else if (!id || !given.name) throw new Error("Expected 'id' and 'function.name' to be strings.")
      else calls.set(index, { id, name: given.name, arguments: given.arguments ?? '' })
    }
  }
  if (said.finish === 'other') throw new Error('It ended for no reason that is known.')
  return { ...said, calls: [...calls.values()].map(({ name, arguments: given }) => ({ name, arguments: given })) }
}
