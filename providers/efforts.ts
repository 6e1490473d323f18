import type { EffortWords } from '../src/core/efforts.ts'

/**
 * Servers that render a chat with the model's template hand these to it. Qwen, GLM and Gemma read `enable_thinking`,
 * DeepSeek, Kimi and Granite `thinking`; both ignore the other. The level is for those that have levels.
 */
const template: readonly EffortWords[] = [
  // vLLM renders these without a template, and refuses arguments for one.
  { models: /(mi|mini|magi|code|dev|vox)stral|mixtral/i },
  {
    off: { chat_template_kwargs: { enable_thinking: false, thinking: false } },
    on: { chat_template_kwargs: { enable_thinking: true, thinking: true } },
  },
]

const engines: Readonly<Record<string, readonly EffortWords[]>> = {
  vllm: template,
  sglang: template,
  llamacpp: template,
}

/** How an engine is told how much to think; as OpenAI is, if it isn't one of these. */
export const effortsOf = (engine: string | undefined): readonly EffortWords[] => engines[engine ?? ''] ?? []
