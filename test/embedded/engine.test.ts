import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { EngineError, type JsonObject } from '../../providers/embedded/engine.ts'
import { type Answer, answersOf, complete, engine, options, stream, type Wire } from './engine-fixture.ts'

interface Recorded {
  label: string
  request: { method: string; path: string; body: JsonObject }
  response: { status: number; body: string }
}

function recorded(file: string): (label: string) => Recorded {
  const { cases } = JSON.parse(readFileSync(new URL(`../fixtures/${file}.json`, import.meta.url), 'utf8')) as {
    cases: Recorded[]
  }
  return (label) => {
    const found = cases.find((one) => one.label === label)
    if (!found) throw new Error(`no case ${label} in ${file}`)
    return found
  }
}

/** The objects of a recorded answer, from one JSON body or from server-sent events. */
function wires({ response: { body } }: Recorded): Wire[] {
  if (body.startsWith('{')) return [JSON.parse(body) as Wire]
  const events = body.split('\n').filter((line) => line.startsWith('data: {'))
  return events.map((line) => JSON.parse(line.slice('data: '.length)) as Wire)
}

const llama = recorded('llama-server-0.7.0')
const ollama = recorded('ollama-0.32.15-native')

const CHATS = {
  chat: 'a greeting',
  chat_length: 'an answer cut at max_tokens',
  chat_stop_seq: 'an answer cut at a stop string',
  chat_n2: 'two choices',
  chat_tool: 'a tool call',
  chat_tool_required: 'a tool call that was required',
  chat_tool_parallel: 'two tool calls at once',
  chat_tool_result: 'an answer from a tool result',
  chat_reasoning: 'reasoning before an answer',
  chat_parts: 'content given in parts',
  chat_developer_role: 'a developer message',
  chat_max_completion_tokens: 'an answer cut at max_completion_tokens',
  chat_unknown_param: 'fields that mean nothing here',
}

describe('the embedded engine answers as llama-server did', () => {
  for (const [label, what] of Object.entries(CHATS)) {
    it(`gives the recorded text and token counts for ${what}`, async () => {
      const { request, ...answer } = llama(label)
      const mine = await complete('chat', request.body)
      expect(answersOf([mine])).toEqual(answersOf(wires({ request, ...answer })))
      const usage = wires({ request, ...answer })[0]?.usage
      expect(mine.usage?.prompt_tokens).toBe(usage?.prompt_tokens)
      // llama-server counts only one of several choices; OpenAI counts them all.
      const choices = mine.choices.length
      expect(mine.usage?.completion_tokens).toBe((usage?.completion_tokens ?? 0) * choices)
    })

    it(`streams the recorded text for ${what}`, async () => {
      const case_ = llama(`${label}_stream`)
      expect(answersOf(await stream('chat', case_.request.body))).toEqual(answersOf(wires(case_)))
    })
  }

  it('gives the recorded log probabilities, but none for the end of the text', async () => {
    const case_ = llama('chat_logprobs')
    const mine = (await complete('chat', case_.request.body)).choices[0]?.logprobs?.content ?? []
    const theirs = wires(case_)[0]?.choices[0]?.logprobs?.content ?? []
    // llama-server lists the end token too, where OpenAI lists the tokens of the content.
    expect(mine.map(({ token }) => token)).toEqual(theirs.map(({ token }) => token).slice(0, -1))
    for (const [i, { logprob, top_logprobs: top }] of mine.entries()) {
      // Not to the last digit: its products most likely round activations to half precision, these do not.
      expect(logprob).toBeCloseTo(theirs[i]?.logprob ?? 0, 3)
      expect(top).toHaveLength(2)
    }
  })

  it('completes raw prompts as recorded', async () => {
    for (const label of ['completions', 'completions_stream', 'completions_multi', 'completions_multi_stream']) {
      const case_ = llama(label)
      const mine = label.endsWith('stream')
        ? await stream('completions', case_.request.body)
        : [await complete('completions', case_.request.body)]
      expect(answersOf(mine)).toEqual(answersOf(wires(case_)))
    }
  })

  it('counts a prompt beyond the context as recorded, and refuses it', () => {
    const { request, response } = llama('err_context')
    const error = JSON.parse(response.body) as { error: { n_prompt_tokens: number } }
    expect(engine.countTokens('chat', request.body)).toBe(error.error.n_prompt_tokens)
    expect(() => engine.stream('chat', request.body, options())).toThrow(EngineError)
    expect(() => engine.stream('chat', request.body, options())).toThrow(
      `This model's maximum context length is 2048 tokens. However, your messages resulted in 24012 tokens.`,
    )
  })

  it('follows the recorded schema, if not with the recorded blanks', async () => {
    // The texts differ: llama-server's grammar is another, and allows line ends inside JSON, which this engine does not.
    const { request } = llama('chat_json_schema')
    const [answer] = answersOf([await complete('chat', request.body)]) as [Answer]
    expect(JSON.parse(answer.text)).toEqual({ ok: true, color: expect.stringMatching(/^(red|green)$/) })
    const [object] = answersOf([await complete('chat', llama('chat_json_object').request.body)]) as [Answer]
    expect(JSON.parse(object.text)).toBeTypeOf('object')
  })
})

interface OllamaAnswer {
  message: { content: string; thinking?: string; tool_calls?: { function: { name: string; arguments: JsonObject } }[] }
  prompt_eval_count: number
  eval_count: number
}

describe('the embedded engine answers as Ollama did', () => {
  // Where the recorded request sets no temperature, its model card sets 0: the engine's default as well.
  for (const label of [
    'chat',
    'chat_length',
    'chat_tool',
    'chat_tool_parallel',
    'chat_tool_result',
    'chat_think',
    'chat_think_false',
  ]) {
    it(`gives the recorded text and token counts for ${label}`, async () => {
      const { request, response } = ollama(label)
      const theirs = JSON.parse(response.body) as OllamaAnswer
      const body = fromOllama(request.body)
      const mine = await complete('chat', body)
      const [answer] = answersOf([mine]) as [Answer]
      expect(answer.text).toBe(theirs.message.content)
      // The template knows no switch for thinking, so both servers think on /think and only then, whatever `think` says.
      expect(answer.reasoning).toBe(theirs.message.thinking ?? '')
      const calls = answer.calls.map((call) => ({ name: call.name, arguments: JSON.parse(call.arguments) as unknown }))
      const expected = (theirs.message.tool_calls ?? []).map((call) => call.function)
      expect(calls).toEqual(expected.map(({ name, arguments: given }) => ({ name, arguments: given })))
      expect(mine.usage?.prompt_tokens).toBe(theirs.prompt_eval_count)
      expect(mine.usage?.completion_tokens).toBe(theirs.eval_count)
    })
  }
})

/** An Ollama request in OpenAI's terms: options at the top, call arguments as text. */
function fromOllama({ options: given, messages, think: _think, ...rest }: JsonObject): JsonObject {
  const { num_predict: maxTokens, ...sampling } = given as JsonObject
  const convert = (message: JsonObject) => {
    const calls = message.tool_calls as { function: { name: string; arguments: JsonObject } }[] | undefined
    if (!calls) return message
    const text = (value: JsonObject) => JSON.stringify(value).replaceAll('":', '": ')
    return {
      ...message,
      tool_calls: calls.map((c) => ({ function: { ...c.function, arguments: text(c.function.arguments) } })),
    }
  }
  return { ...rest, ...sampling, max_tokens: maxTokens, messages: (messages as JsonObject[]).map(convert) }
}
