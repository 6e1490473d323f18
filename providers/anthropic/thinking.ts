import { efforts, isEffort, nearestEffort } from '../../src/core/efforts.ts'
import { valueAs, valueIn } from '../../src/core/synonyms.ts'
import { invalid } from '../../src/wire/body.ts'
import { shorten } from '../../src/wire/errors.ts'
import { isObject, type JsonObject, objectAt } from '../../src/wire/json.ts'
import type { Turn } from './messages.ts'
import type { Traits } from './models.ts'

/** Tokens: the least that can be thought. */
const leastBudget = 1024
/** Above that, Anthropic advises to have answers made as a batch: connections don't last so long. */
const mostBudget = 32_000

/** The share of an answer's tokens that is thought, by https://openrouter.ai/docs/use-cases/reasoning-tokens */
const shares: Readonly<Record<string, number>> = {
  minimal: 0.1,
  low: 0.2,
  medium: 0.5,
  high: 0.8,
  xhigh: 0.95,
  max: 0.95,
}

export interface ThinkingOptions {
  readonly traits: Traits
  /** In tokens: of thoughts and answer together. */
  readonly limit: number
  /** Whether a call is forced, which excludes thoughts. */
  readonly forced: boolean
  readonly messages: readonly Turn[]
  /** Takes note of what is left out. */
  leftOut(param: string): void
}

/**
 * `thinking` and `output_config` for what a client says of that, under whatever name.
 * https://platform.claude.com/docs/en/build-with-claude/adaptive-thinking for models since 4.6, and
 * https://platform.claude.com/docs/en/build-with-claude/extended-thinking for those before.
 */
export function thinkingFields(body: JsonObject, options: ThinkingOptions): JsonObject {
  if (isOwn(body.thinking)) return { thinking: body.thinking }
  const { traits, forced, leftOut } = options
  const asked = effortIn(body)
  const budget = asked === undefined ? budgetIn(body) : undefined
  if (asked === undefined && budget === undefined) return {}
  if (asked === 'none') return notThinking(traits, leftOut)
  if (traits.efforts) {
    const effort = nearestEffort(asked ?? effortFor(Number(budget) / options.limit), traits.efforts)
    // How much it may write counts for its calls too.
    return { ...(!forced && { thinking: adaptive(body) }), output_config: { effort } }
  }
  const tokens = Math.min(
    Math.max(leastBudget, Math.floor(budget ?? Math.min(mostBudget, options.limit * (shares[asked ?? ''] ?? 0.5)))),
    options.limit - 1,
  )
  if (forced || tokens < leastBudget || lacksThoughts(options.messages)) {
    leftOut(nameOf(body))
    return {}
  }
  return { thinking: { type: 'enabled', budget_tokens: tokens } }
}

/** Anthropic's own object, rather than the one without more of other servers. */
function isOwn(thinking: unknown): thinking is JsonObject {
  return (
    isObject(thinking) &&
    (thinking.type === 'adaptive' || thinking.type === 'disabled' || typeof thinking.budget_tokens === 'number')
  )
}

function effortIn(body: JsonObject): string | undefined {
  const asked = valueAs('reasoning_effort', valueIn(body, 'thinking'))
  if (asked === undefined || isEffort(asked)) return asked
  throw invalid(
    `Invalid value: '${shorten(String(asked))}'. Supported values are: ${efforts.map((one) => `'${one}'`).join(', ')}.`,
    nameOf(body),
    'invalid_value',
  )
}

/** The tokens that OpenRouter's clients ask for, and those of some others. */
function budgetIn(body: JsonObject): number | undefined {
  const given = objectAt(body, 'reasoning')?.max_tokens ?? body.thinking_budget
  return typeof given === 'number' && given > 0 ? given : undefined
}

/** Where tokens can't be told: the effort that thinks about so much of an answer. */
function effortFor(share: number): string {
  return Object.keys(shares).find((effort) => share <= (shares[effort] ?? 1)) ?? 'max'
}

function nameOf(body: JsonObject): string {
  return (
    ['reasoning_effort', 'reasoning', 'thinking'].find((name) => (body[name] ?? undefined) !== undefined) ?? 'think'
  )
}

/** Models before 4.6 think only when told to. */
function notThinking({ efforts, mayNotThink }: Traits, leftOut: ThinkingOptions['leftOut']): JsonObject {
  if (!efforts) return {}
  if (mayNotThink) return { thinking: { type: 'disabled' } }
  leftOut('reasoning_effort')
  return { output_config: { effort: efforts[0] } }
}

/** Newer models show nothing of what they think unless asked to. */
function adaptive(body: JsonObject): JsonObject {
  const hides = objectAt(body, 'reasoning')?.exclude === true || body.include_reasoning === false
  return { type: 'adaptive', display: hides ? 'omitted' : 'summarized' }
}

/**
 * Whether results of calls are to be answered that were made without a thought, or whose thoughts the client didn't keep:
 * "Expected `thinking` or `redacted_thinking`, but found `tool_use`" would be the answer.
 */
function lacksThoughts(messages: readonly Turn[]): boolean {
  const hasResults = messages.at(-1)?.content.some(({ type }) => type === 'tool_result') ?? false
  const [first] = messages.findLast(({ role }) => role === 'assistant')?.content ?? []
  return hasResults && first?.type !== 'thinking' && first?.type !== 'redacted_thinking'
}
