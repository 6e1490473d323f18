import { type PartWording, partWordings } from '../core/wordings.ts'

const wordingsOf = (wanted: PartWording['part']) => partWordings.filter(({ part }) => part === wanted)

/** The fields that a message says are refused. */
export function fieldsRefused(message: string): string[] {
  const found = wordingsOf('field').flatMap(({ match }) => [...message.matchAll(match)])
  return found.flatMap(({ groups }) => groups?.names?.match(/\w+/g) ?? [])
}

export function refusesDeveloper(message: string): boolean {
  return wordingsOf('developer').some(({ match }) => match.test(message))
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
