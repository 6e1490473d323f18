import type { ClientKey } from '../http/access.ts'
import { pathText } from './problems.ts'
import type { Config } from './schema.ts'
import { type Environment, type Findings, readVariable } from './secrets.ts'

/** The keys that clients can use. A key that is named but not set is a mistake: it would leave the gateway open. */
export function readKeys(config: Config, env: Environment, out: Findings): ClientKey[] {
  // If it is not a list, or an entry is not a string, that was reported already.
  const named = (Array.isArray(config.keys) ? config.keys : []).map((name: unknown, index) =>
    typeof name === 'string' ? readKey(name, index, env, out) : undefined,
  )
  const keys = [...named, readCarried(['SAMEWIRE_KEY'], 'SAMEWIRE_KEY', env, out)]
  const bySecret = new Map<string, ClientKey>()
  for (const key of keys) if (key && !bySecret.has(key.secret)) bySecret.set(key.secret, key)
  return [...bySecret.values()]
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
