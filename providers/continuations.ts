import type { Continuation, Continuations } from '../src/core/continuing.ts'

/** Servers that render the whole chat with the model's template, which may trim the last message too. */
const rendered: Continuation = {
  fields: { continue_final_message: true, add_generation_prompt: false },
  trims: true,
}

/** A prompt goes to the model as it is: what follows is always its continuation. */
const completions: Continuation = {}

/** The engines that go on with the last message of a chat, by name. */
export const engines: Readonly<Record<string, Continuations>> = {
  vllm: { chat: rendered, completions },
  // It puts the text behind the rendered chat as it is.
  sglang: { chat: { fields: { continue_final_message: true } }, completions },
  // From version 3 on: huggingface/text-generation-inference#2733
  tgi: { chat: { fields: { continue_final_message: true }, trims: true }, completions },
  // As SGLang. Before ggml-org/llama.cpp#23089 it did so by itself, unless it ran with `--no-prefill-assistant`.
  llamacpp: { chat: { fields: { ...rendered.fields, echo: false } }, completions },
}

/** A provider's setting that says which of them is behind its address. */
export const continuesSetting = Object.keys(engines)

/** What an engine can continue; nothing if it isn't one of these. */
export const continuedBy = (engine: string | undefined): Continuations => engines[engine ?? ''] ?? {}
