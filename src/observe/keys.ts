const usual = String.raw`\b(?:sk|pk|rk|ghp|gho|gsk|glpat|xox[abps])[-_][\w-]{12,}`
const others = String.raw`\bAIza[\w-]{20,}|\bAKIA[0-9A-Z]{12,}|\beyJ[\w-]+\.[\w-]+\.[\w-]+|\bBearer\s+[\w.~+/=-]{12,}`

/** Texts that look like keys, whoever's they are. */
const inTexts = new RegExp(String.raw`${usual}|\b(?:hf|xai)[-_][\w-]{12,}|${others}`, 'gi')
/** Models have makers in their names, too: those keys have no words in them. */
const inNames = new RegExp(String.raw`${usual}|\b(?:hf|xai)[-_][a-z\d]{20,}|${others}`, 'gi')

/** A text without whatever looks like a key. */
export function withoutKeys(text: string): string {
  return text.replace(inTexts, '***')
}

/** A message of the gateway's own, in which there are names that others have chosen, without whatever looks like a key. */
export function withoutKeysInNames(message: string): string {
  return message.replace(inNames, '***')
}

/** Characters of a name that are shown. */
export const longestName = 200
const shown = new Map<string, string>()
/** Names that are remembered: most requests have those of others, but anybody can make up more. */
const most = 1_000

/** A name that somebody else has chosen, of a model or a user, as it may be shown: cut, and without what looks like a key. */
export function shownName(name: string): string {
  const known = shown.get(name)
  if (known !== undefined) return known
  // A key that is cut is a part of a key.
  const safe = withoutKeysInNames(name.slice(0, 4 * longestName))
  const text = safe.length > longestName ? `${safe.slice(0, longestName)}…` : safe
  if (name.length > longestName) return text
  if (shown.size >= most) shown.clear()
  shown.set(name, text)
  return text
}
