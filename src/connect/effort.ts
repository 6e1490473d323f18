import { type EffortWords, effortFields, efforts, isEffort, nearestEffort } from '../core/efforts.ts'
import type { Provider, Remedy } from '../core/provider.ts'
import { type Asked, type Changes, put } from '../core/synonyms.ts'
import type { GatewayError } from '../wire/errors.ts'
import { isObject, type JsonObject } from '../wire/json.ts'
import { fieldIn } from './fields.ts'

const field = 'reasoning_effort'

/** Says a request's `reasoning_effort` in the provider's words, if it has any of its own. */
export function sayEffort(changes: Changes, asked: Asked, provider: Provider, model: string): void {
  const said = effortFields(fieldIn(changes, asked, field), model, wordsOf(provider))
  if (!said) return
  changes.set.delete(field)
  changes.drop.add(field)
  for (const [name, value] of Object.entries(said)) {
    const theirs = fieldIn(changes, asked, name) ?? undefined
    if (theirs === undefined) put(changes, name, value)
    else if (isObject(theirs) && isObject(value)) put(changes, name, { ...value, ...theirs })
  }
}

/** Whether a request's fields may change by its effort, without looking into long texts. */
export function hasEffort(provider: Provider, outline: JsonObject): boolean {
  return typeof outline[field] === 'string' && wordsOf(provider).length > 0
}

function wordsOf({ definition: { efforts = [] }, settings }: Provider): readonly EffortWords[] {
  return typeof efforts === 'function' ? efforts(settings) : efforts
}

/** Puts the nearest of the levels that the upstream has said to have in place of one that it refused. */
export function limitEffort(changes: Changes, asked: Asked, levels: readonly string[]): void {
  for (const name of [field, 'think']) {
    const effort = fieldIn(changes, asked, name)
    if (isEffort(effort)) put(changes, name, nearestEffort(effort, levels))
  }
  const reasoning = fieldIn(changes, asked, 'reasoning')
  if (isObject(reasoning) && isEffort(reasoning.effort)) {
    put(changes, 'reasoning', { ...reasoning, effort: nearestEffort(reasoning.effort, levels) })
  }
}

/** What comes before the levels in a message, by OpenAI, Groq, vLLM, and others. */
const listing = /values? (?:are|is)|must be|should be|one of|valid|expected|allowed|supports?(?: only)?:/i
const every = new RegExp(`\\b(${efforts.join('|')}|default)\\b`, 'g')
/** What nearly all models that think know. */
const usual = ['low', 'medium', 'high']

/** The levels that an upstream has which refused one: those that it names, or else the usual ones. */
export function effortRemedy({ message, param }: GatewayError, sent: () => JsonObject): Remedy | undefined {
  if (!/reasoning|effort/i.test(`${param} ${message}`)) return undefined
  const { [field]: direct, reasoning } = sent()
  const effort = direct ?? (isObject(reasoning) ? reasoning.effort : undefined)
  if (!isEffort(effort)) return undefined
  const at = listing.exec(message)?.index
  const named = at === undefined ? [] : [...new Set(message.slice(at).match(every))].filter((level) => level !== effort)
  if (named.length > 0) return { efforts: named }
  const isAboutLevel = new RegExp(`['"\`]${effort}['"\`]`).test(message)
  return isAboutLevel && !usual.includes(effort) ? { efforts: usual } : undefined
}
