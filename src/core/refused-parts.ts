import { type PartWording, partWordings } from './wordings.ts'

const wordingsOf = (wanted: PartWording['part']) => partWordings.filter(({ part }) => part === wanted)

/** Codes that say, with `param`, which field is refused, rather than its value. */
const codes: ReadonlySet<unknown> = new Set(['unsupported_parameter', 'unknown_parameter', 'extra_forbidden'])

/** What an upstream, or an error made of its words, says. */
interface Words {
  readonly message: string
  readonly code?: string | null
  readonly param?: string | null
}

/** The fields that an error says are refused. `matches`: what a pattern finds in the message. */
export function fieldsRefused(
  { message, code, param }: Words,
  matches: (pattern: RegExp) => Iterable<RegExpExecArray> = (pattern) => message.matchAll(pattern),
): string[] {
  const found = wordingsOf('field').flatMap(({ match }) => [...matches(match)])
  const named = found.flatMap(({ groups }) => groups?.names?.match(/\w+/g) ?? [])
  return codes.has(code) && param ? [param, ...named] : named
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
