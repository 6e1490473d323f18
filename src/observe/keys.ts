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
    for (const memory of memories) memory.clear()
  }
}

/** What remembers names as they were shown. */
const memories: { clear(): void }[] = []

/** Has a memory of names, as they were shown, cleared whenever there are more keys to be left out. For good. */
export function remembering<Memory extends { clear(): void }>(memory: Memory): Memory {
  memories.push(memory)
  return memory
}

/** A text without whatever looks like a key, or is one of the gateway's. */
export function withoutKeys(text: string): string {
  let left = text
  for (const secret of own) left = left.replaceAll(secret, '***')
  return left.replace(keys, '***')
}

/** Characters of a name that are shown. */
export const longestName = 200
/** Names that are remembered: most requests have those of others, but anybody can make up more. */
const most = 1_000

/**
 * A name that somebody else has chosen, of a model or a user, as it may be shown: cut, without what looks like a key, and
 * without half characters, which strict readers of JSON refuse.
 */
export const shownName = remembered((name) => {
  // A key that is cut is a part of a key.
  const safe = withoutKeys(name.slice(0, 4 * longestName))
  return (safe.length > longestName ? `${safe.slice(0, longestName)}…` : safe).toWellFormed()
})

/** The same as JSON. */
export const shownJSON = remembered((name) => JSON.stringify(shownName(name)))

function remembered(make: (name: string) => string): (name: string) => string {
  const known = remembering(new Map<string, string>())
  return (name) => {
    const found = known.get(name)
    if (found !== undefined) return found
    const made = make(name)
    if (known.size >= most) known.clear()
    if (name.length <= longestName) known.set(name, made)
    return made
  }
}
