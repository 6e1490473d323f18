import { isObject, type JsonObject } from '../../wire/json.ts'
import type { ListedModel } from '../../wire/listed-model.ts'

/**
 * The models in the format of Codex, which asks for `/models?client_version=` and reads `models` only: one entry without
 * a required field, and it refuses all of them. `ModelInfo` in codex-rs/protocol/src/openai_models.rs of openai/codex
 * says what is required. Models that don't answer in text are left out, since its picker would offer them.
 */
export function codexModels(models: readonly ListedModel[]): readonly JsonObject[] {
  return models.filter(answersInText).map(modelInfo)
}

function modelInfo(model: ListedModel, place: number): JsonObject {
  const { id, root, owned_by: owner, context_length: window, capabilities } = model
  const abilities = isObject(capabilities) ? capabilities : {}
  return {
    slug: id,
    display_name: id,
    description: `Served by ${root ?? owner}`,
    supported_reasoning_levels: abilities.reasoning === true ? efforts : [],
    ...(abilities.reasoning === true && { default_reasoning_level: 'medium' }),
    shell_type: 'shell_command',
    visibility: 'list',
    supported_in_api: true,
    // Its picker sorts by it: what is configured comes first, in that order.
    priority: Math.min(place, mostPriority),
    upgrade: null,
    base_instructions: instructions,
    supports_reasoning_summaries: false,
    support_verbosity: false,
    default_verbosity: null,
    // As a function or with a grammar of OpenAI's own: other models edit by the shell.
    apply_patch_tool_type: null,
    truncation_policy: { mode: 'bytes', limit: 10_000 },
    supports_parallel_tool_calls: false,
    ...(typeof window === 'number' && { context_window: window, max_context_window: window }),
    experimental_supported_tools: [],
    // It takes a model without them for one that sees.
    input_modalities: abilities.vision === true ? ['text', 'image'] : ['text'],
    // Its short form hides the tools from servers other than OpenAI's.
    use_responses_lite: false,
  }
}

/** It is a 32-bit number. */
const mostPriority = 1_000_000

const efforts = [
  { effort: 'low', description: 'Answers sooner' },
  { effort: 'medium', description: 'Balances time and thought' },
  { effort: 'high', description: 'Thinks longest' },
]

/** Codex has no instructions of its own for a model that it learns of from a list. */
const instructions =
  'You are Codex, a coding agent that runs in a terminal on the computer of the user. Work on the task until it is done: ' +
  'read the code that matters, make the smallest change that does the job in the style of what is there, and check it ' +
  'with the tests and tools of the project. Use the tools that you are given, and only these; run commands in the working ' +
  "directory. Never undo or overwrite the user's own changes, and ask before anything destructive. At the end say in a " +
  'few sentences what you did and what is left.'

function answersInText({ architecture }: ListedModel): boolean {
  const outputs = isObject(architecture) ? architecture.output_modalities : undefined
  return !Array.isArray(outputs) || outputs.includes('text')
}
