import { isObject, type JsonObject } from '../wire/json.ts'

/**
 * Names of the same field, in OpenAI's API and in those of other servers. Of several in one request, the first counts.
 * Ollama's `options` may hold any of them, and `reasoning` is OpenRouter's.
 */
export const synonyms = {
  limit: ['max_completion_tokens', 'max_tokens', 'num_predict', 'max_new_tokens', 'max_output_tokens', 'n_predict'],
  thinking: ['think', 'reasoning_effort', 'reasoning.effort', 'reasoning.enabled', 'reasoning.max_tokens'],
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
  seed: 'random_seed',
  random_seed: 'seed',
}

export function otherName(name: string): string | undefined {
  return Object.hasOwn(otherNames, name) ? otherNames[name] : undefined
}

/** A value in the terms of its new name: `think` is a boolean or a level, `reasoning_effort` always a level. */
export function valueAs(name: string, value: unknown): unknown {
  if (name === 'reasoning_effort' && typeof value === 'boolean') return value ? 'medium' : 'none'
  return name === 'think' && value === 'none' ? false : value
}

/** The value of a field under whichever name a body has it. Null says nothing. */
export function valueIn(body: JsonObject | undefined, meaning: Meaning): unknown {
  const name = synonyms[meaning].find((one) => (body?.[one] ?? undefined) !== undefined)
  return name === undefined ? undefined : body?.[name]
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

/** The fields of a body, with those inside `options` and `reasoning` one by one. */
function fieldsOf(body: JsonObject): Field[] {
  return Object.entries(body).flatMap(([name, value]): Field | Field[] => {
    if (value === undefined) return []
    if ((name !== 'options' && name !== 'reasoning') || !isObject(value)) return { name, value }
    return Object.entries(value).map(([inner, its]) => ({ group: name, name: inner, value: its }))
  })
}

function meaningOf({ group, name }: Field): string {
  const full = group === 'reasoning' ? `reasoning.${name}` : name
  return meanings.get(full) ?? full
}
