import type { Environment } from '../../config/secrets.ts'

/** Is told what is wrong with a variable, which is then ignored. Never its value: that may be a secret. */
export type Warn = (problem: string) => void

/**
 * A list such as `key=value,key2=value2`, whose values may be percent-encoded, as in W3C's baggage. Entries that are
 * none are left out.
 */
export function readPairs(name: string, env: Environment, warn: Warn): Record<string, string> {
  const pairs: Record<string, string> = {}
  for (const entry of (env[name] ?? '').split(',')) {
    if (entry.trim() === '') continue
    const [key = '', ...rest] = entry.split('=')
    const value = decoded(rest.join('=').trim())
    const known = decoded(key.trim())
    if (rest.length > 0 && known && value !== undefined) pairs[known] = value
    else warn(`${name}: it has an entry that is not key=value, which is left out`)
  }
  return pairs
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

/** A whole number above 0. */
export function readCount(name: string, usual: number, env: Environment, warn: Warn): number {
  const given = env[name]?.trim()
  if (!given) return usual
  if (/^\d{1,9}$/.test(given) && Number(given) > 0) return Number(given)
  warn(`${name}: it is no whole number above 0, so it is taken for ${usual}`)
  return usual
}
