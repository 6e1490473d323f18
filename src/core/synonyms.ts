import { isObject, type JsonObject, objectAt } from '../wire/json.ts'

/**
 * Names of the same field, in OpenAI's API and in those of other servers. Of several in one request, the first counts.
 * Ollama's `options` may hold any of them, `reasoning` is OpenRouter's, and `chat_template_kwargs` belongs to vLLM, SGLang
 * and llama.cpp. `thinking` is an object of Anthropic, DeepSeek, Moonshot and Z.ai; DashScope and SiliconFlow have
 * `enable_thinking` and `thinking_budget`.
 */
export const synonyms = {
  limit: ['max_completion_tokens', 'max_tokens', 'num_predict', 'max_new_tokens', 'max_output_tokens', 'n_predict'],
  thinking: [
    ...['think', 'reasoning_effort', 'reasoning.effort', 'reasoning.enabled', 'thinking', 'enable_thinking'],
    ...['chat_template_kwargs.enable_thinking', 'chat_template_kwargs.thinking'],
    ...['reasoning.max_tokens', 'thinking_budget'],
  ],
  stop: ['stop', 'stop_sequences'],
  tools: ['tools', 'functions'],
  choice: ['tool_choice', 'function_call'],
  format: ['response_format', 'format'],
  seed: ['seed', 'random_seed'],
  repetition: ['repetition_penalty', 'repeat_penalty'],
} as const satisfies Readonly<Record<string, readonly string[]>>

export type Meaning = keyof typeof synonyms

const meanings: ReadonlyMap<string, string> = new Map(
  Object.entries(synonyms).flatMap(([meaning, names]) => names.map((name) => [name, meaning] as const)),
)

/** Whether two top-level fields mean the same. */
export function areSynonyms(one: string, other: string): boolean {
  const meaning = meanings.get(one)
  return meaning !== undefined && meaning === meanings.get(other)
}

/** What to call a field for a server that refuses its name. No tools: they would need other values, and answers. */
const otherNames: Readonly<Record<string, string>> = {
  max_tokens: 'max_completion_tokens',
  max_completion_tokens: 'max_tokens',
  num_predict: 'max_tokens',
  n_predict: 'max_tokens',
  max_new_tokens: 'max_tokens',
  max_output_tokens: 'max_tokens',
  stop_sequences: 'stop',
  repeat_penalty: 'repetition_penalty',
  think: 'reasoning_effort',
  reasoning: 'reasoning_effort',
  thinking: 'reasoning_effort',
  enable_thinking: 'reasoning_effort',
  chat_template_kwargs: 'reasoning_effort',
  seed: 'random_seed',
  random_seed: 'seed',
}

export function otherName(name: string): string | undefined {
  return Object.hasOwn(otherNames, name) ? otherNames[name] : undefined
}

/**
 * A value in the terms of its new name: `think` is a boolean or a level, `reasoning_effort` always a level. Undefined if
 * these can't say it, such as a number of tokens.
 */
export function valueAs(name: string, value: unknown): unknown {
  if (meanings.get(name) !== 'thinking') return value
  const said = thinkingOf(value)
  if (name === 'reasoning_effort') return typeof said === 'boolean' ? (said ? 'medium' : 'none') : said
  const own = said === 'none' ? false : said
  return name === 'think' || (name === 'enable_thinking' && typeof own === 'boolean') ? own : undefined
}

/** Whether to think, or how much, in a field of whatever name. An object that says more has no equivalent. */
function thinkingOf(value: unknown): unknown {
  if (!isObject(value)) return typeof value === 'number' ? undefined : value
  if (value.type === 'disabled') return false
  const [[key, said] = ['', undefined], ...more] = Object.entries(value)
  if (more.length > 0) return undefined
  if (key === 'type') return said === 'enabled' || undefined
  return key === 'effort' || typeof said === 'boolean' ? said : undefined
}

/** The value of a field under whichever name a body has it. Null says nothing. */
export function valueIn(body: JsonObject | undefined, meaning: Meaning): unknown {
  for (const name of synonyms[meaning]) {
    const [group = '', inner] = name.split('.')
    const value = (inner === undefined ? body?.[name] : objectAt(body, group)?.[inner]) ?? undefined
    if (value !== undefined) return value
  }
  return undefined
}

/** A body without a field, whatever its name there. */
export function without(body: JsonObject, ...left: readonly Meaning[]): JsonObject {
  const names = new Set<string>(left.flatMap((meaning) => synonyms[meaning]))
  return Object.fromEntries(Object.entries(body).filter(([name]) => !names.has(name)))
}

/** What to change in a request: top-level fields to set, and fields to leave out. No field is in both. */
export interface Changes {
  readonly set: Map<string, unknown>
  readonly drop: Set<string>
}

/** A request: `outline` may lack long texts, and `json` may have to be parsed first. */
export interface Asked {
  readonly outline: JsonObject
  readonly json: JsonObject
}

/**
 * How a deployment's configuration changes a request. An override replaces the client's field whatever its name, and a
 * default is for fields that the client left out under all of their names. A client's null leaves a field out.
 */
export function settle(
  asked: Asked,
  { defaults, overrides }: { readonly defaults: JsonObject; readonly overrides: JsonObject },
): Changes {
  const theirs = fieldsOf(asked.outline)
  const forced = fieldsOf(overrides)
  const settled = new Set([...theirs.filter(({ value }) => value !== null), ...forced].map(meaningOf))
  const ours = [...fieldsOf(defaults).filter((field) => !settled.has(meaningOf(field))), ...forced]
  const taken = new Set(ours.map(meaningOf))
  const replaced = theirs.filter((field) => taken.has(meaningOf(field)))
  const changes: Changes = { set: new Map(), drop: new Set() }
  for (const { group, name } of replaced) if (group === undefined) changes.drop.add(name)
  for (const { group, name, value } of ours) if (group === undefined) put(changes, name, value)
  for (const group of new Set([...replaced, ...ours].flatMap((field) => field.group ?? []))) {
    const own = asked.json[group]
    const kept = fieldsOf({ [group]: own }).filter((field) => field.group === group && !taken.has(meaningOf(field)))
    const members = [...kept, ...ours.filter((field) => field.group === group)]
    if (members.length === 0) changes.drop.add(group)
    else put(changes, group, Object.fromEntries(members.map(({ name, value }) => [name, value])))
  }
  return changes
}

export function put({ set, drop }: Changes, name: string, value: unknown): void {
  set.set(name, value)
  drop.delete(name)
}

interface Field {
  /** The top-level object that holds the field, if any. */
  readonly group?: string
  readonly name: string
  readonly value: unknown
}

/** The fields that hold others, of which each counts by itself. */
const groups: ReadonlySet<string> = new Set(['options', 'reasoning', 'text', 'chat_template_kwargs'])

/** The fields of a body, with those inside a group one by one. */
function fieldsOf(body: JsonObject): Field[] {
  return Object.entries(body).flatMap(([name, value]): Field | Field[] => {
    if (value === undefined) return []
    if (!groups.has(name) || !isObject(value)) return { name, value }
    return Object.entries(value).map(([inner, its]) => ({ group: name, name: inner, value: its }))
  })
}

function meaningOf({ group, name }: Field): string {
  const full = group === undefined || group === 'options' ? name : `${group}.${name}`
  return meanings.get(full) ?? full
}
