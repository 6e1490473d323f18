import type { WireContext } from '../../src/core/provider.ts'
import { valueIn, without } from '../../src/core/synonyms.ts'
import { isObject, type JsonObject, objectAt } from '../../src/wire/json.ts'
import { withReadableArguments } from './arguments.ts'
import { checkRoles, ollamaMessages, withInlineImages } from './messages.ts'
import { effortOf, formatOf, incapable, limitFor, optionsOf, passedOn, thinkOf } from './options.ts'

/** Maximum tokens of a legacy completion if the client sets none: OpenAI's default. */
const legacyLimit = 16

/** The body for `/api/chat`, from an OpenAI chat request. JSON leaves out what is undefined. */
export function chatRequest({ body, model, images, contextWindow }: WireContext): JsonObject {
  return {
    ...passedOn(body),
    model,
    messages: ollamaMessages(body.messages, images),
    tools: toolsOf(body),
    format: formatOf(body),
    think: thinkOf(body),
    options: optionsOf(body, limitFor(contextWindow)),
    // The default in Ollama is true.
    stream: body.stream === true,
  }
}

/** The body for `/api/generate`, from a legacy completion request. */
export function generateRequest({ body, model }: WireContext): JsonObject {
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
export function openaiChatRequest({ body, images, contextWindow }: WireContext): JsonObject {
  checkRoles(body.messages)
  const { tools: _, ...toolless } = body
  // Ollama ignores `tool_choice: 'none'` and would offer the tools.
  return {
    ...openaiNames(body.tool_choice === 'none' ? toolless : body, limitFor(contextWindow)),
    messages: withThoughts(withInlineImages(withReadableArguments(body.messages), images)),
  }
}

/** Ollama's own `/v1` reads what the model thought before under its own name only. */
function withThoughts(messages: unknown): unknown {
  if (!Array.isArray(messages)) return messages
  return messages.map((message: unknown) => {
    if (!isObject(message) || typeof message.reasoning_content !== 'string') return message
    const { reasoning_content: thought, ...rest } = message
    return { ...rest, reasoning: rest.reasoning ?? thought }
  })
}

/** A legacy completion on Ollama's own `/v1`, which accepts no list of prompts. */
export function openaiCompletionRequest({ body }: WireContext): JsonObject {
  return openaiNames({ ...body, prompt: onePrompt(body.prompt) }, legacyLimit)
}

/** Gives the fields with several names those that Ollama's `/v1` knows, wherever the request has them. */
function openaiNames(body: JsonObject, limit: number): JsonObject {
  const options = objectAt(body, 'options')
  const stop = valueIn(body, 'stop') ?? valueIn(options, 'stop')
  const effort = effortOf(body)
  return {
    ...without(body, 'limit', 'stop', 'thinking'),
    max_tokens: valueIn(body, 'limit') ?? valueIn(options, 'limit') ?? limit,
    ...(stop !== undefined && { stop }),
    ...(effort !== undefined && { reasoning_effort: effort }),
  }
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
  const given = legacy ? body.functions : body.tools
  // Ollama ignores the choice, so `none` means to offer no tools.
  if (!Array.isArray(given) || given.length === 0 || valueIn(body, 'choice') === 'none') return undefined
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
