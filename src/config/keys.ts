import type { ClientKey } from '../http/access.ts'
import type { KeyLimits } from '../state/key.ts'
import { nanoDollarsOf } from '../state/money.ts'
import { isObject } from '../wire/json.ts'
import { withValues } from './plain.ts'
import { pathText, show } from './problems.ts'
import type { Config } from './schema.ts'
import { type Environment, type Findings, readVariable } from './secrets.ts'
import type { StateSettings } from './state.ts'

/** The keys that clients can use. A key that is named but not set is a mistake: it would leave the gateway open. */
export function readKeys(config: Config, env: Environment, out: Findings): ClientKey[] {
  // If it is not a list, or an entry is not a string, that was reported already.
  const named = (Array.isArray(config.keys) ? config.keys : []).map((entry: unknown, index) => {
    if (typeof entry === 'string') return readKey(entry, index, env, out)
    return isObject(entry) ? readLimited(entry as LimitedKey, index, env, out) : undefined
  })
  const keys = [...named, readCarried(['SAMEWIRE_KEY'], 'SAMEWIRE_KEY', env, out)]
  const bySecret = new Map<string, ClientKey>()
  for (const key of keys) if (key && !bySecret.has(key.secret)) bySecret.set(key.secret, key)
  const found = [...bySecret.values()]
  for (const { name } of found.filter((key, at) => found.findIndex((other) => other.name === key.name) < at))
    out.problems.push(`keys: two have the name ${show(name)}; allowed: each its own`)
  return found
}

function readKey(name: string, index: number, env: Environment, out: Findings): ClientKey | undefined {
  const variable = name.slice(4)
  if (!name.startsWith('env:')) {
    out.problems.push(`keys[${index}]: a secret is named, never written; allowed: "env:NAME"`)
    return undefined
  }
  if (!env[variable]) out.problems.push(`keys[${index}]: ${variable} is not set`)
  return readCarried(['keys', index], variable, env, out)
}

/** A budget that is forgotten at each start is none. */
export function checkBudgets(keys: readonly ClientKey[], state: StateSettings | undefined, out: Findings): void {
  const named = keys.find(({ limits }) => limits?.budget !== undefined)
  if (named && !state)
    out.problems.push(
      `keys: ${named.name} has a budget, which has to be kept; set state.url, such as "file:samewire.db"`,
    )
}

type LimitedKey = Exclude<NonNullable<Config['keys']>[number], string>

/** A key with what it may do. */
function readLimited(entry: LimitedKey, index: number, env: Environment, out: Findings): ClientKey | undefined {
  if (typeof entry.key !== 'string') return undefined
  const found = readKey(entry.key, index, env, out)
  const { key: _, name, budget, ...limits } = entry
  const nano = budget === undefined ? undefined : nanoDollarsOf(budget)
  if (budget !== undefined && nano === undefined)
    out.problems.push(`keys[${index}].budget: found ${budget}; allowed: dollars with up to nine decimals`)
  return found && { ...found, name: name ?? found.name, limits: withValues({ ...limits, budget: nano }) as KeyLimits }
}

/** The key for the admin routes, undefined if there is none. One that is a client's too is a mistake. */
export function readAdminKey(env: Environment, keys: readonly ClientKey[], out: Findings): string | undefined {
  const secret = readCarried(['SAMEWIRE_ADMIN_KEY'], 'SAMEWIRE_ADMIN_KEY', env, out)?.secret
  const same = keys.find((key) => key.secret === secret)
  if (same) out.problems.push(`SAMEWIRE_ADMIN_KEY: it is the same as ${same.name}; allowed: a key of its own`)
  return secret
}

const allowed = 'letters, digits and signs of ASCII, without spaces'

/** A key for the `Bearer` scheme, in characters that every client sends as the same bytes. */
function readCarried(path: readonly unknown[], name: string, env: Environment, out: Findings): ClientKey | undefined {
  const key = readVariable(path, name, env, out, allowed)
  const obstacle = key === undefined ? undefined : obstacleIn(key)
  if (!obstacle) return key === undefined ? undefined : { name, secret: key }
  out.problems.push(`${pathText(path)}: ${name} ${obstacle}; allowed: ${allowed}`)
  return undefined
}

function obstacleIn(key: string): string | undefined {
  if (/\s/.test(key)) return 'holds a space, which would end it'
  // curl sends UTF-8, `fetch` Latin-1, and openai-python (httpx) fails with a UnicodeEncodeError.
  if (/[^\x21-\x7e]/.test(key)) return 'holds a character beyond ASCII, which clients send in different ways'
  return undefined
}
