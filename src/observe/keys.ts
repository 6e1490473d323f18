/**
 * Texts that look like keys, whoever's they are. The names of some models begin as keys of their makers do, but those have no
 * words in them.
 */
const keys =
  /\b(?:(?:sk|pk|rk|ghp|gho|gsk|glpat|xox[abps])[-_][\w-]{12,}|(?:hf|xai)[-_][a-z\d]{20,}|AIza[\w-]{20,}|AKIA[0-9A-Z]{12,}|eyJ[\w-]+\.[\w-]+\.[\w-]+|Bearer\s+[\w.~+/=-]{12,})/gi

/** Keys of the gateway's own, which may look like anything. */
const own = new Set<string>()
/** Characters of a key, at least, to be looked for: shorter ones are words. */
const shortest = 8

/** Has these keys left out too, wherever a client puts them: where the name of a model belongs, for one. */
export function hideKeys(secrets: readonly string[]): void {
  for (const secret of secrets) {
    if (secret.length < shortest || own.has(secret)) continue
    own.add(secret)
    shown.clear()
  }
}

/** A text without whatever looks like a key, or is one of the gateway's. */
export function withoutKeys(text: string): string {
  let left = text
  for (const secret of own) left = left.replaceAll(secret, '***')
  return left.replace(keys, '***')
}

/** Characters of a name that are shown. */
export const longestName = 200
const shown = new Map<string, string>()
/** Names that are remembered: most requests have those of others, but anybody can make up more. */
const most = 1_000

/**
 * A name that somebody else has chosen, of a model or a user, as it may be shown: cut, without what looks like a key, and
 * without half characters, which strict readers of JSON refuse.
 */
export function shownName(name: string): string {
  const known = shown.get(name)
  if (known !== undefined) return known
  // A key that is cut is a part of a key.
  const safe = withoutKeys(name.slice(0, 4 * longestName))
  const text = (safe.length > longestName ? `${safe.slice(0, longestName)}…` : safe).toWellFormed()
  if (name.length > longestName) return text
  if (shown.size >= most) shown.clear()
  shown.set(name, text)
  return text
}
