import type { WireContext } from '../../src/core/provider.ts'
import { isObject, type JsonObject, objectAt } from '../../src/wire/json.ts'
import { ollamaMessages } from './messages.ts'
import { defaultLimit, formatOf, incapable, optionsOf, passedOn, refuseUnsupported, thinkOf } from './options.ts'

/** Maximum tokens of a legacy completion if the client sets none: OpenAI's default. */
const legacyLimit = 16

/** The body for `/api/chat`, from an OpenAI chat request. JSON leaves out what is undefined. */
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
    // The default in Ollama is true.
    stream: body.stream === true,
  }
}

/** The body for `/api/generate`, from a legacy completion request. */
export function generateRequest({ body, model }: WireContext): JsonObject {
  refuseUnsupported(body)
  // 0 asks for log probabilities too: those of the chosen tokens.
  if (typeof body.logprobs === 'number') throw incapable('logprobs')
  return {
    ...passedOn(body),
    model,
    prompt: onePrompt(body.prompt),
    suffix: body.suffix || undefined,
    format: formatOf(body),
    // A legacy completion has no field for reasoning, and its 16 tokens would leave no room for the text.
    think: thinkOf(body) ?? false,
    options: optionsOf(body, legacyLimit),
    stream: body.stream === true,
  }
}

/** Chat on Ollama's own `/v1`, which ignores `max_completion_tokens` and generates without a limit. */
export function openaiChatRequest({ body }: WireContext): JsonObject {
  refuseUnsupported(body)
  const { max_completion_tokens: limit, ...rest } = body
  const { tools, ...toolless } = rest
  return {
    // Ollama ignores `tool_choice: 'none'` and would offer the tools.
    ...(body.tool_choice === 'none' ? toolless : rest),
    max_tokens: limit ?? body.max_tokens ?? defaultLimit,
  }
}

/** A legacy completion on Ollama's own `/v1`, which accepts no list of prompts. */
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

/** Whether a request uses `functions`, the predecessor of `tools`: its answer must use them too. */
export function speaksOfFunctions(body: JsonObject): boolean {
  return Array.isArray(body.functions) && !Array.isArray(body.tools)
}

function toolsOf(body: JsonObject): readonly JsonObject[] | undefined {
  const legacy = speaksOfFunctions(body)
  const choice = legacy ? body.function_call : body.tool_choice
  const given = legacy ? body.functions : body.tools
  // Ollama ignores the choice, so `none` means to offer no tools.
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
