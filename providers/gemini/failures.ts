import type { ErrorRule, Remedy } from '../../src/core/provider.ts'
import type { GatewayError } from '../../src/wire/errors.ts'

/** How Google words its refusals, beside what `src/core/wordings.ts` has. Where each was found stands behind it. */
// biome-ignore format: a table
export const geminiErrors: readonly ErrorRule[] = [
  { kind: 'auth', match: /api[ _]key (?:not valid|not found|expired)|reported as leaked|missing or invalid authorization/i }, // google-gemini/gemini-cli#25198, p32929/rotato#18
  // Its words are those of a limit per minute, and so is the wait that it asks for.
  { kind: 'quota', status: 429, body: /PerDay/ }, // RooCodeInc/Roo-Code#3883
  { kind: 'quota', match: /free tier is not available|enable billing/i }, // ai.google.dev/gemini-api/docs/troubleshooting
  { kind: 'timeout', status: 504 }, // ai.google.dev/gemini-api/docs/troubleshooting: DEADLINE_EXCEEDED
  { kind: 'upstream', status: 499 },
  { kind: 'incapable', lacks: 'logprobs', match: /logprobs is not enabled/i }, // mscraftsman/generative-ai#135
  { kind: 'incapable', lacks: 'audio', match: /audio input modality is not enabled/i }, // as for images: google/generative-ai-docs#513
  { kind: 'incapable', param: 'n', match: /multiple candidates is not enabled/i }, // googleapis/js-genai#1609
  { kind: 'incapable', param: 'presence_penalty', match: /penalty is not enabled/i }, // vercel/ai#4022
  { kind: 'incapable', param: 'reasoning_effort', match: /thinking[ _](?:level|budget|config)|thinking is not|thinking mode|reasoning_effort/i }, // discuss.ai.google.dev/t/112648
  { kind: 'incapable', param: 'tools', match: /cannot be combined|tool use with function calling/i }, // googleapis/python-genai#58
  { kind: 'incapable', param: 'response_format', match: /too many states/i }, // vercel/ai#3465
  { kind: 'incapable', param: 'messages', match: /thought.?signature|unsupported mime type|payload size exceeds/i }, // BerriAI/litellm#16893
]

/** Everything that says how much to think. */
const thinking = ['reasoning_effort', 'reasoning', 'think', 'thinking', 'enable_thinking', 'thinking_budget']

const levels = ['minimal', 'low', 'medium', 'high']

/** A model that has no such level gets the nearest; one that can't be told at all answers without. */
export function healThinking({ message }: GatewayError): Remedy | undefined {
  const [, refused] = /thinking level (\w+) is not supported/i.exec(message) ?? []
  if (refused !== undefined) return { efforts: levels.filter((level) => level !== refused.toLowerCase()) }
  return /thinking is not (?:supported|enabled)|does not support thinking/i.test(message)
    ? { drop: thinking }
    : undefined
}
