import { chatJob, chatWire } from './chat.ts'
import { completionsJob, completionsWire } from './completions.ts'
import { CONTEXT_WINDOW, type Engine, type GenerateOptions, type JsonObject, type Operation } from './contract.ts'
import { embed, readInputs } from './embeddings.ts'
import { checkContext, generate, type Job, type Model, type Usage } from './generate.ts'
import { readGguf } from './gguf.ts'
import { chatPrompt } from './prompt.ts'
import { Tokenizer } from './tokenizer.ts'
import { Transformer } from './transformer.ts'
import type { Wire } from './wire.ts'

export { type Engine, EngineError, type GenerateOptions, type JsonObject, type Operation } from './contract.ts'

/** Loads a model of the Llama architecture with a GPT-2 vocabulary. Throws an `Error` for any other file. */
export function createEngine(gguf: Uint8Array): Engine {
  const file = readGguf(gguf)
  const tokenizer = new Tokenizer(file)
  const model: Model = { tokenizer, transformer: new Transformer(file, CONTEXT_WINDOW), contextWindow: CONTEXT_WINDOW }
  const prompt = chatPrompt(String(file.metadata.get('tokenizer.chat_template')))
  const prepare = (operation: Operation, body: JsonObject) =>
    operation === 'chat' ? chatJob(body, tokenizer, prompt) : completionsJob(body, tokenizer)
  const start = (operation: Operation, body: JsonObject, options: GenerateOptions): Run => {
    options.signal.throwIfAborted()
    const job = prepare(operation, body)
    checkContext(job, CONTEXT_WINDOW, operation === 'chat' ? 'messages' : 'prompt')
    const wire = operation === 'chat' ? chatWire(options) : completionsWire(body, tokenizer)
    return { model, job, wire, options, usage: { promptTokens: 0, completionTokens: 0, reasoningTokens: 0 } }
  }
  return {
    contextWindow: CONTEXT_WINDOW,
    countTokens: (operation, body) => prepare(operation, body).prompts.reduce((sum, { length }) => sum + length, 0),
    stream: (operation, body, options) => streamed(start(operation, body, options)),
    async embed(body, options) {
      options.signal.throwIfAborted()
      return await embed(model, readInputs(body, model), options)
    },
    complete: async (operation, body, options) => whole(start(operation, body, options)),
  }
}

interface Run {
  readonly model: Model
  readonly job: Job & { includeUsage: boolean }
  readonly wire: Wire
  readonly options: GenerateOptions
  readonly usage: Usage
}

async function* streamed({ model, job, wire, options, usage }: Run): AsyncGenerator<JsonObject, void, void> {
  const { id, created, model: name } = options
  const chunk = (choices: JsonObject[], total: JsonObject | null): JsonObject => ({
    id,
    object: wire.objects.chunk,
    created,
    model: name,
    choices,
    ...(job.includeUsage ? { usage: total } : {}),
  })
  for await (const event of generate(model, job, usage, options)) {
    const choices = wire.choices(event)
    if (choices.length > 0) yield chunk(choices, null)
  }
  if (job.includeUsage) yield chunk([], usageObject(usage))
}

async function whole({ model, job, wire, options, usage }: Run): Promise<JsonObject> {
  const choices: JsonObject[] = []
  let current: ReturnType<Wire['collect']> | undefined
  for await (const event of generate(model, job, usage, options)) {
    if (event.kind === 'start') current = wire.collect(event)
    else if (event.kind === 'piece') current?.add(event)
    else if (current) choices.push(current.choice(event.index, event.reason))
  }
  const { id, created, model: name } = options
  return { id, object: wire.objects.whole, created, model: name, choices, usage: usageObject(usage) }
}

function usageObject({ promptTokens, completionTokens, reasoningTokens }: Usage): JsonObject {
  return {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
    prompt_tokens_details: { cached_tokens: 0 },
    completion_tokens_details: { reasoning_tokens: reasoningTokens },
  }
}
