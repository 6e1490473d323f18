import { show } from './problems.ts'
import type { Config } from './schema.ts'
import type { Environment, Findings } from './secrets.ts'

export interface ObjectSettings {
  readonly retention?: number
  readonly passOn?: boolean
}

/** Where state is kept. */
export interface StateSettings {
  readonly kind: 'sqlite' | 'postgres' | 'd1'
  /** A file's name, a URL with its password, or the name of a binding. */
  readonly where: string
  /** Days for which rows of requests are kept. */
  readonly retention: number
  /** About what clients have stored. */
  readonly objects: ObjectSettings
}

interface Given {
  readonly url?: unknown
  readonly retention?: number
  readonly objects?: ObjectSettings
}

const allowed = '"file:samewire.db", "env:NAME" with a URL of Postgres, or "d1" on Workers'

/** Undefined: nothing is kept. `SAMEWIRE_STATE` wins over the file. */
export function readState(config: Config, env: Environment, out: Findings): StateSettings | undefined {
  const { url, retention = 30, objects = {} } = Object(config.state) as Given
  const days = { retention, objects }
  const given = env.SAMEWIRE_STATE?.trim() || (typeof url === 'string' ? url : undefined)
  if (!given) return undefined
  const place = env.SAMEWIRE_STATE?.trim() ? 'SAMEWIRE_STATE' : 'state.url'
  const named = given.startsWith('env:')
  const value = named ? env[given.slice(4)]?.trim() : given
  if (!value) {
    out.problems.push(`${place}: ${given.slice(4)} is not set`)
    return undefined
  }
  if (/^postgres(ql)?:\/\//.test(value)) {
    if (!named && place === 'state.url') {
      out.problems.push('state.url: a URL with a password is named, never written; allowed: "env:NAME"')
      return undefined
    }
    return { kind: 'postgres', where: value, ...days }
  }
  const file = /^file:(.+)$/s.exec(value)?.[1]
  if (file !== undefined) return { kind: 'sqlite', where: file, ...days }
  if (value === 'd1' || value.startsWith('d1:')) return { kind: 'd1', where: value.slice(3) || 'DB', ...days }
  // What follows the kind of a URL may hold a password, and so may all of what is named.
  const shown = named ? `something else in ${given.slice(4)}` : show(given.replace(/:.*/s, ':…'))
  out.problems.push(`${place}: found ${shown}; allowed: ${allowed}`)
  return undefined
}

/** Whether the configuration limits anybody, or keeps anything: else no code for that is loaded. */
export function limitsAnybody(config: Config, env: Environment): boolean {
  // It isn't checked yet.
  const { keys, models, state } = Object(config) as Config
  const isLimited = (entry: unknown) =>
    typeof entry === 'object' && entry !== null && Object.keys(entry).some((name) => name !== 'key' && name !== 'name')
  const hasRates = (entry: unknown) => typeof entry === 'object' && entry !== null && ('rpm' in entry || 'tpm' in entry)
  return (
    Boolean(env.SAMEWIRE_STATE?.trim()) ||
    state !== undefined ||
    (Array.isArray(keys) && keys.some(isLimited)) ||
    Object.values(models ?? {}).some(hasRates)
  )
}
