import type { WireContext } from '../../src/core/provider.ts'
import { isObject, type JsonObject, objectAt } from '../../src/wire/json.ts'
import { ollamaMessages } from './messages.ts'
import { defaultLimit, formatOf, incapable, optionsOf, passedOn, refuseUnsupported, thinkOf } from './options.ts'

/** Tokens of a legacy completion where the client set no limit: OpenAI's own default. */
const legacyLimit = 16

/** `/api/chat` for an OpenAI chat request. What is undefined in it vanishes in the JSON. */
export function chatRequest({ body, model }: WireContext): JsonObject {
  refuseUnsupported(body)
  return {
    ...passedOn(body),
    model,
    messages: ollamaMessages(body.messages),
    tools: toolsOf(body),
    format: formatOf(body),
    think: thinkOf(body),
    options: optionsOf(body, defaultLimit),
    // Left out it would mean true.
    stream: body.stream === true,
  }
}

/** `/api/generate` for a legacy completion. */
export function generateRequest({ body, model }: WireContext): JsonObject {
  refuseUnsupported(body)
  // 0 asks for them too: those of the chosen tokens.
  if (typeof body.logprobs === 'number') throw incapable('logprobs')
  return {
    ...passedOn(body),
    model,
    prompt: onePrompt(body.prompt),
    suffix: body.suffix || undefined,
    format: formatOf(body),
    // The old answer has no place for thoughts, and sixteen tokens of them would leave nothing for the text.
    think: thinkOf(body) ?? false,
    options: optionsOf(body, legacyLimit),
    stream: body.stream === true,
  }
}

/** Chat on Ollama's own `/v1`, which ignores today's name of the limit and runs on without one. */
export function openaiChatRequest({ body }: WireContext): JsonObject {
  refuseUnsupported(body)
  const { max_completion_tokens: limit, ...rest } = body
  const { tools, ...toolless } = rest
  return {
    // It would offer the tools all the same.
    ...(body.tool_choice === 'none' ? toolless : rest),
    max_tokens: limit ?? body.max_tokens ?? defaultLimit,
  }
}

/** A legacy completion on Ollama's own `/v1`, which takes no list of prompts. */
export function openaiCompletionRequest({ body }: WireContext): JsonObject {
  refuseUnsupported(body)
  if (typeof body.logprobs === 'number') throw incapable('logprobs')
  return { ...body, prompt: onePrompt(body.prompt), max_tokens: body.max_tokens ?? legacyLimit }
}

function onePrompt(prompt: unknown): string {
  if (prompt === undefined || prompt === null) return ''
  const only = Array.isArray(prompt) && prompt.length === 1 ? prompt[0] : prompt
  if (typeof only === 'string') return only
  throw incapable('prompt', 'Ollama completes one prompt, given as text.')
}

/** Whether a request speaks of functions, as before there were tools: its answer has to as well. */
export function speaksOfFunctions(body: JsonObject): boolean {
  return Array.isArray(body.functions) && !Array.isArray(body.tools)
}

function toolsOf(body: JsonObject): readonly JsonObject[] | undefined {
  const legacy = speaksOfFunctions(body)
  const choice = legacy ? body.function_call : body.tool_choice
  const given = legacy ? body.functions : body.tools
  // Ollama ignores the choice: a tool that isn't offered is the one that isn't called.
  if (!Array.isArray(given) || given.length === 0 || choice === 'none') return undefined
  return legacy
    ? given.map((described) => ({ type: 'function', function: described }))
    : given.map((tool, at) => functionTool(tool, `tools[${at}]`))
}

function functionTool(tool: unknown, path: string): JsonObject {
  const described = objectAt(tool, 'function')
  if (!isObject(tool) || !described) throw incapable(path, 'Ollama knows tools of type function only.')
  const { strict: _, ...rest } = described
  return { ...tool, function: rest }
}
