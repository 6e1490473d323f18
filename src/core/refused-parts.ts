import { failureWords } from './failure-words.ts'
import type { PartWording } from './part-wordings.ts'

const wordingsOf = (wanted: PartWording['part']) =>
  (failureWords.value?.partWordings ?? []).filter(({ part }) => part === wanted)

/** Codes that say, with `param`, which field is refused, rather than its value. */
const codes: ReadonlySet<unknown> = new Set(['unsupported_parameter', 'unknown_parameter', 'extra_forbidden'])

/** What an upstream, or an error made of its words, says. */
interface Words {
  readonly message: string
  readonly code?: string | null
  readonly param?: string | null
}

/** What a pattern finds in a message. */
type Matches = (pattern: RegExp) => Iterable<RegExpExecArray>

/** The fields that an error says are refused. */
export function fieldsRefused(
  { message, code, param }: Words,
  matches: Matches = (pattern) => message.matchAll(pattern),
): string[] {
  const named = namesIn('field', matches)
  return codes.has(code) && param ? [param, ...named] : named
}

/** The fields of which an error says that the model doesn't take their value, though others do. */
export function valuesRefused(matches: Matches): string[] {
  return namesIn('value', matches)
}

function namesIn(part: PartWording['part'], matches: Matches): string[] {
  const found = wordingsOf(part).flatMap(({ match }) => [...matches(match)])
  return found.flatMap(({ groups }) => groups?.names?.match(/\w+/g) ?? []).flatMap(bothCases)
}

/** xAI says `presencePenalty` of a `presence_penalty`. Elsewhere such a name may be the field's own. */
function bothCases(name: string): string[] {
  const snake = name.replace(/(?<=[a-z])[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
  return snake === name ? [name] : [name, snake]
}

export function refusesDeveloper(message: string): boolean {
  return wordingsOf('developer').some(({ match }) => match.test(message))
}

export function refusesInstructions(message: string): boolean {
  return wordingsOf('system').some(({ match }) => match.test(message))
}

export function wantsOneInstruction(message: string): boolean {
  return wordingsOf('order').some(({ match }) => match.test(message))
}

/** Two fields of the request that exclude each other: OpenAI (langchain-ai/langgraph#5943), Volcengine (nanobot#2548). */
export function fieldsExcluded(message: string): readonly [string, string] | undefined {
  const found = /['"`]?(\w+)['"`]? and ['"`]?(\w+)['"`]? (?:cannot be set )?at the same time/i.exec(message)
  return found?.[1] && found[2] ? [found[1], found[2]] : undefined
}

/** The name that a message recommends: "Use 'max_completion_tokens' instead." */
export function nameRecommended(message: string): string | undefined {
  return /\buse ['"`](\w+)['"`] instead/i.exec(message)?.[1]
}
