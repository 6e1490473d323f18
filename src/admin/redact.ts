import { isObject } from '../wire/json.ts'

/** Names of settings, headers, request fields and variables whose values are, or may be, secrets. */
const secretName = /auth|key|token|secret|cookie|password|passwd|credential|bearer/i

/** What clients' keys are called and may do, in the list `keys` of a configuration. */
const ofKeys: ReadonlySet<string> = new Set([
  'name',
  'models',
  'budgetReset',
  'budgetMode',
  'modelLimits',
  'userLimits',
])

/** Whose entries have names that the user chose. */
const named: ReadonlySet<string> = new Set(['providers', 'models'])

/** Characters. A key for a server that needs none is a common word: `ollama`, `EMPTY`. */
const shortest = 8

const hidden = '***'

/**
 * Returns a function that copies a value without secrets: names of variables stay (`env:NAME`); headers that are written
 * out, whatever stands under a name that is a secret's, users and queries of addresses, and the value of every secret
 * variable of `env`, wherever it is, become `***`.
 */
export function withoutSecrets(env: Readonly<Record<string, unknown>>): <T>(value: T) => T {
  const secrets = Object.entries(env)
    .flatMap(([name, value]) => (typeof value === 'string' && secretName.test(name) ? [value.trim()] : []))
    .filter((value) => value.length >= shortest)
    // A secret may be a part of another.
    .sort((one, other) => other.length - one.length)

  function hideIn(text: string): string {
    let shown = text.replace(/\/\/[^/\s]*@/g, `//${hidden}@`).replace(/(\w:\/\/[^\s?#]*)[?#]\S+/g, `$1?${hidden}`)
    for (const secret of secrets) shown = shown.replaceAll(secret, hidden)
    return shown
  }

  function copy(value: unknown, isSecret: boolean, areNames = false): unknown {
    if (typeof value === 'string') {
      if (/^(env:\w+|client)$/.test(value)) return value
      return isSecret ? hidden : hideIn(value)
    }
    if (Array.isArray(value)) return value.map((part) => copy(part, isSecret))
    if (!isObject(value)) return value
    return Object.fromEntries(
      Object.entries(value).map(([key, part]) => {
        const tells = !areNames && (key === 'headers' || secretName.test(key))
        if (key === 'keys' && Array.isArray(part)) return [key, part.map(copyOfKey)]
        return [hideIn(key), copy(part, isSecret || tells, named.has(key))]
      }),
    )
  }

  /** A client's key: who it is for and what it may do are no secrets. */
  function copyOfKey(entry: unknown): unknown {
    if (!isObject(entry)) return copy(entry, true)
    return Object.fromEntries(Object.entries(entry).map(([key, part]) => [hideIn(key), copy(part, !ofKeys.has(key))]))
  }

  return <T>(value: T) => copy(value, false) as T
}
