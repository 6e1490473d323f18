import type { ErrorRule, Remedy } from '../../src/core/provider.ts'
import type { GatewayError } from '../../src/wire/errors.ts'

/** How Google words its refusals, beside what `src/core/wordings.ts` has. Where each was found stands behind it. */
// biome-ignore format: a table
export const geminiErrors: readonly ErrorRule[] = [
  { kind: 'auth', status: 400, match: /api key (?:not valid|not found|expired)|invalid authorization header/i }, // google-gemini/gemini-cli#25198, ychoi-kr/llm-api-prog#1
  // Its words are those of a limit per minute, and so is the wait that it asks for.
  { kind: 'quota', status: 429, body: /PerDay/ }, // googleapis/python-genai#2044
  { kind: 'quota', status: 400, match: /free tier is not available/i }, // ai.google.dev/gemini-api/docs/troubleshooting
  { kind: 'timeout', status: 504 }, // DEADLINE_EXCEEDED: ai.google.dev/gemini-api/docs/troubleshooting
  { kind: 'upstream', status: 499 }, // CANCELLED: google.rpc.Code
  { kind: 'incapable', lacks: 'logprobs', match: /logprobs is not enabled/i }, // mscraftsman/generative-ai#135
  { kind: 'incapable', lacks: 'audio', match: /audio input modality is not enabled/i }, // as of images: google/generative-ai-docs#513
  { kind: 'incapable', param: 'n', match: /multiple candidates is not enabled/i }, // googleapis/js-genai#1609
  { kind: 'incapable', param: 'presence_penalty', match: /penalty is not enabled/i }, // vercel/ai#4022
  { kind: 'incapable', param: 'reasoning_effort', match: /thinking[ _]?(?:level|config|budget)?\b.{0,40}(?:not (?:supported|enabled)|only enabled)|invalid reasoning_effort/i }, // RooCodeInc/Roo-Code#10700, lobehub/lobehub#7985, googleapis/js-genai#681
  { kind: 'incapable', param: 'tools', match: /tools.{0,80}cannot be combined|tool use with function calling/i }, // lbjlaq/Antigravity-Manager#2241, snailyp/gemini-balance#17
  { kind: 'incapable', match: /too many states for serving/i }, // of tools or a format: googleapis/python-genai#660
  { kind: 'incapable', param: 'messages', match: /thought_?signature/i }, // BerriAI/litellm#16893
  { kind: 'incapable', param: 'messages', match: /unsupported mime type|request payload size exceeds/i }, // public code that holds them
]

/** Everything that says how much to think. */
export const thinkingFields = [
  'reasoning_effort',
  'reasoning',
  'think',
  'thinking',
  'enable_thinking',
  'thinking_budget',
]

const levels = ['minimal', 'low', 'medium', 'high']

const unthinking =
  /thinking(?:[ _](?:level|config))? is not (?:supported|enabled)|only enabled when thinking is|does not support thinking/i

/** A model that has no such level gets the nearest; one that can't be told at all answers without. */
export function healThinking({ message }: GatewayError): Remedy | undefined {
  const [, refused] = /thinking level (\w+) is not supported/i.exec(message) ?? []
  if (refused !== undefined) return { efforts: levels.filter((level) => level !== refused.toLowerCase()) }
  return unthinking.test(message) ? { drop: thinkingFields } : undefined
}
