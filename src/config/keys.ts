import { pathText } from './problems.ts'
import type { Config } from './schema.ts'
import { type Environment, type Findings, readVariable } from './secrets.ts'

/** The keys that clients can use. A key that is named but not set is a mistake: it would leave the gateway open. */
export function readKeys(config: Config, env: Environment, out: Findings): string[] {
  // If it is not a list, or an entry is not a string, that was reported already.
  const named = (Array.isArray(config.keys) ? config.keys : []).map((name: unknown, index) =>
    typeof name === 'string' ? readKey(name, index, env, out) : undefined,
  )
  const keys = [...named, readCarried(['SAMEWIRE_KEY'], 'SAMEWIRE_KEY', env, out)]
  return [...new Set(keys.filter((key) => key !== undefined))]
}

function readKey(name: string, index: number, env: Environment, out: Findings): string | undefined {
  const variable = name.slice(4)
  if (!name.startsWith('env:')) {
    out.problems.push(`keys[${index}]: a secret is named, never written; allowed: "env:NAME"`)
    return undefined
  }
  if (!env[variable]) out.problems.push(`keys[${index}]: ${variable} is not set`)
  return readCarried(['keys', index], variable, env, out)
}

/** A key for the `Bearer` scheme, where a space would end it. */
function readCarried(path: readonly unknown[], name: string, env: Environment, out: Findings): string | undefined {
  const key = readVariable(path, name, env, out)
  if (key === undefined || !/\s/.test(key)) return key
  out.problems.push(`${pathText(path)}: ${name} holds a space, which would end it; allowed: a key without spaces`)
  return undefined
}
