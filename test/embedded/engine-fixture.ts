import { readFileSync } from 'node:fs'
import { createEngine, type GenerateOptions, type JsonObject, type Operation } from '../../providers/embedded/engine.ts'

export const modelFile = new Uint8Array(
  readFileSync(new URL('../../providers/embedded/tiny-chat.gguf', import.meta.url)),
)
export const engine = createEngine(modelFile)

export interface Choice {
  index: number
  finish_reason: string | null
  logprobs: { content: { token: string; logprob: number; top_logprobs: unknown[] }[] } | null
  text?: string
  message?: Message
  delta?: Message
}

export interface Message {
  role?: string
  content?: string | null
  reasoning_content?: string
  tool_calls?: { index?: number; id?: string; function: { name?: string; arguments: string } }[]
}

export interface Wire {
  id: string
  object: string
  choices: Choice[]
  usage?: {
    prompt_tokens: number
    completion_tokens: number
    completion_tokens_details?: { reasoning_tokens: number }
  } | null
}

export function options(given: Partial<GenerateOptions> = {}): GenerateOptions {
  return {
    model: 'tiny-chat',
    id: 'chatcmpl-1',
    created: 1,
    signal: new AbortController().signal,
    random: () => 0.5,
    pause: async () => {},
    now: () => performance.now(),
    ...given,
  }
}

export async function complete(operation: Operation, body: JsonObject): Promise<Wire> {
  return (await engine.complete(operation, body, options())) as unknown as Wire
}

export async function stream(operation: Operation, body: JsonObject): Promise<Wire[]> {
  const chunks: Wire[] = []
  for await (const chunk of engine.stream(operation, body, options())) chunks.push(chunk as unknown as Wire)
  return chunks
}

/** What each choice comes to, whichever way it was told; call ids left out, as they are random. */
export interface Answer {
  text: string
  reasoning: string
  calls: { name: string; arguments: string }[]
  finish: string | null
}

export function answersOf(wires: readonly Wire[]): Answer[] {
  const answers: Answer[] = []
  for (const choice of wires.flatMap((wire) => wire.choices)) {
    answers[choice.index] ??= { text: '', reasoning: '', calls: [], finish: null }
    const answer = answers[choice.index] as Answer
    const part = choice.message ?? choice.delta ?? {}
    answer.text += part.content ?? choice.text ?? ''
    answer.reasoning += part.reasoning_content ?? ''
    for (const [i, call] of (part.tool_calls ?? []).entries()) {
      const at = call.index ?? i
      answer.calls[at] ??= { name: call.function.name ?? '', arguments: '' }
      ;(answer.calls[at] as { arguments: string }).arguments += call.function.arguments
    }
    answer.finish = choice.finish_reason ?? answer.finish
  }
  return answers
}
