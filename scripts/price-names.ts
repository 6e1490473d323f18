import type { MatchLogic } from '@pydantic/genai-prices'

/** The names that a rule lists. */
export function namesIn(match: MatchLogic): readonly string[] {
  if ('equals' in match) return [match.equals]
  return 'or' in match ? match.or.flatMap(namesIn) : []
}

/** One regular expression for all but whole names, which are looked up. Undefined: there are only those. */
export function patternOf(match: MatchLogic): string | undefined {
  if ('equals' in match) return undefined
  if ('or' in match) {
    const parts = match.or.flatMap((one) => patternOf(one) ?? [])
    return parts.length > 0 ? parts.join('|') : undefined
  }
  if ('and' in match) return `^${match.and.map((one) => `(?=${ahead(one)})`).join('')}`
  if ('regex' in match) return match.regex
  if ('starts_with' in match) return `^${escaped(match.starts_with)}`
  if ('ends_with' in match) return `${escaped(match.ends_with)}$`
  return escaped(match.contains)
}

/** What a name must hold, seen from its start. */
function ahead(match: MatchLogic): string {
  const pattern = 'equals' in match ? `^${escaped(match.equals)}$` : patternOf(match)
  return `[^]*?(?:${pattern})`
}

function escaped(text: string): string {
  return text.toLowerCase().replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}
