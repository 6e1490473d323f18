import { efforts, isEffort, nearestEffort } from '../../src/core/efforts.ts'
import type { WireContext } from '../../src/core/provider.ts'
import { valueAs, valueIn } from '../../src/core/synonyms.ts'
import { invalid } from '../../src/wire/body.ts'
import { shorten } from '../../src/wire/errors.ts'
import { isObject, type JsonObject, objectAt } from '../../src/wire/json.ts'
import { thinkingFields } from './failures.ts'
import { type Thinking, thinkingOf } from './families.ts'

/** Tokens for a level, by Google's own table: https://ai.google.dev/gemini-api/docs/openai#thinking */
const budgets: Readonly<Record<string, number>> = { minimal: 1_024, low: 1_024, medium: 8_192, high: 24_576 }

type Asking = Pick<WireContext, 'body' | 'model' | 'leftOut'>

/** Gemini's `thinkingConfig`; undefined if the request says nothing of thinking, or the model can't be told. */
export function thinkingConfigOf(context: Asking): JsonObject | undefined {
  const { body, model } = context
  const asked = valueIn(body, 'thinking')
  const thinking = thinkingOf(model)
  if (asked === undefined) return undefined
  const tokens = tokensIn(asked)
  const effort = tokens === undefined ? effortIn(asked) : undefined
  if (!thinking) {
    // Such a model does not think, which may be all that is asked for.
    if (effort !== 'none' && tokens !== 0) context.leftOut?.(nameOf(body))
    return undefined
  }
  const includeThoughts = wantsThoughts(body) && effort !== 'none' && tokens !== 0
  const amount =
    tokens !== undefined ? byTokens(tokens, thinking) : effort === undefined ? {} : byEffort(effort, thinking)
  return { ...(includeThoughts && { includeThoughts }), ...amount }
}

function nameOf(body: JsonObject): string {
  return thinkingFields.find((name) => (body[name] ?? undefined) !== undefined) ?? 'chat_template_kwargs'
}

/** A number of tokens, also in Anthropic's form. */
function tokensIn(asked: unknown): number | undefined {
  const tokens = isObject(asked) ? asked.budget_tokens : asked
  return typeof tokens === 'number' ? tokens : undefined
}

/** A level; undefined where nothing is said but that it is to think, as it does by itself. Throws a 400 for no level. */
function effortIn(asked: unknown): string | undefined {
  if (asked === true) return undefined
  const effort = valueAs('reasoning_effort', asked)
  if (effort === undefined || isObject(asked)) return effort === 'none' ? effort : undefined
  if (isEffort(effort)) return effort
  const words = `Invalid value: '${shorten(String(effort))}'. Supported values are: ${efforts.join(', ')}.`
  throw invalid(words, 'reasoning_effort', 'invalid_value')
}

/** Whether what it thinks may be told. OpenRouter has a field for that in `reasoning`, and one of its own. */
function wantsThoughts(body: JsonObject): boolean {
  return objectAt(body, 'reasoning')?.exclude !== true && body.include_reasoning !== false
}

function byEffort(effort: string, thinking: Thinking): JsonObject {
  if (thinking.levels) return { thinkingLevel: nearestEffort(effort, thinking.levels).toUpperCase() }
  if (effort === 'none') return { thinkingBudget: thinking.mayBeOff ? 0 : thinking.least }
  const level = effort === 'default' ? 'medium' : effort
  return { thinkingBudget: Math.min(thinking.most, budgets[level] ?? thinking.most) }
}

function byTokens(tokens: number, thinking: Thinking): JsonObject {
  if (!thinking.levels) return { thinkingBudget: tokens }
  const level = Object.keys(budgets).find((one) => tokens <= (budgets[one] ?? 0)) ?? 'high'
  return byEffort(tokens === 0 ? 'none' : level === 'minimal' ? 'low' : level, thinking)
}
