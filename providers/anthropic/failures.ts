import type { ErrorRule, Remedy } from '../../src/core/provider.ts'
import type { GatewayError } from '../../src/wire/errors.ts'

/** https://platform.claude.com/docs/en/api/errors. What the statuses and the general rules say already is not here. */
export const anthropicErrors: readonly ErrorRule[] = [
  // Its 500 says no more: anthropics/claude-code#4248
  { match: /^overloaded\b/i, kind: 'overloaded' },
  { code: ['overloaded_error'], kind: 'overloaded' },
  // Under 400: continuedev/continue#5499, anthropics/claude-code#2127
  { match: /credit balance is too low|reached your specified api usage limits/i, kind: 'quota' },
  { code: ['billing_error'], kind: 'quota' },
  { code: ['rate_limit_error'], kind: 'rate_limit' },
  { code: ['timeout_error'], kind: 'timeout' },
  // Under 400: anthropics/claude-code#9384
  { match: /organization has been disabled/i, kind: 'auth' },
  // Models since 4.6: smallmain/vscode-unify-chat-provider#249
  { match: /does not support assistant message prefill/i, kind: 'incapable', param: 'messages' },
  // Models that think, or always do: srtab/daiv#527, Yeachan-Heo/gajae-code#482
  { match: /tool_choice forces tool use/i, kind: 'incapable', param: 'tool_choice' },
  // elizaOS/eliza#16175, ex-machina-co/opencode-anthropic-auth#159
  { match: /thinking\b.{0,60}\bnot supported|effort parameter/i, kind: 'incapable', param: 'reasoning_effort' },
  {
    match: /output_(config\.)?format\b.{0,60}\bnot support|schema is too complex/i,
    kind: 'incapable',
    lacks: 'schema',
  },
  // The-PR-Agent/pr-agent#2456
  { match: /\b(temperature|top_p|top_k)`? is deprecated|`temperature` and `top_p` cannot both/i, kind: 'incapable' },
]

/**
 * New models refuse what sets the temperature, and some of those before both fields for it. Names don't tell for a model
 * of another name than Anthropic's.
 */
export function healSampling({ message }: GatewayError): Remedy | undefined {
  if (/`temperature` and `top_p` cannot both/i.test(message)) return { drop: ['top_p'] }
  const [, field] = /`?\b(temperature|top_p|top_k)`? is deprecated/i.exec(message) ?? []
  return field === undefined ? undefined : { drop: ['temperature', 'top_p', 'top_k'] }
}
