import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { ConfigError } from '../config/problems.ts'
import type { Environment } from '../config/providers.ts'

export interface Arguments {
  readonly config: string | undefined
  readonly host: string
  readonly port: number
  /** Number of worker processes. */
  readonly workers: number
  /** Milliseconds that running answers have to finish after the gateway was told to stop. */
  readonly grace: number
}

/** An argument, or the variable in its place, that is none of those allowed. */
export class UsageError extends ConfigError {}

/** More than a large machine has cores: a higher number is a typo. */
const mostWorkers = 256
/** An hour, in seconds. Whatever stops a machine waits less. */
const mostGrace = 3_600

/**
 * Reads the command line, with the environment as default. Throws a `UsageError`, or Node's `TypeError` for an option
 * that is none.
 */
export function readArguments(args: readonly string[], env: Environment): Arguments {
  const { values } = parseArgs({
    args: args.slice(args[0] === 'start' ? 1 : 0),
    options: {
      config: { type: 'string' },
      host: { type: 'string' },
      port: { type: 'string' },
      workers: { type: 'string' },
      grace: { type: 'string' },
    },
  })
  const port = numberOf(values.port ?? env.PORT ?? '8787', {
    name: values.port === undefined ? 'PORT' : '--port',
    least: 0,
    most: 65_535,
  })
  const given = values.workers ?? env.SAMEWIRE_WORKERS ?? '1'
  const workers = numberOf(given === 'auto' ? String(Math.min(availableParallelism(), mostWorkers)) : given, {
    name: values.workers === undefined ? 'SAMEWIRE_WORKERS' : '--workers',
    least: 1,
    most: mostWorkers,
    or: 'auto',
  })
  const grace = numberOf(values.grace ?? env.SAMEWIRE_GRACE ?? '10', {
    name: values.grace === undefined ? 'SAMEWIRE_GRACE' : '--grace',
    least: 0,
    most: mostGrace,
  })
  return { config: values.config, host: values.host ?? env.HOST ?? '127.0.0.1', port, workers, grace: grace * 1000 }
}

interface Bounds {
  readonly name: string
  readonly least: number
  readonly most: number
  /** A word that is allowed instead of a number. */
  readonly or?: string
}

function numberOf(given: string, { name, least, most, or }: Bounds): number {
  // What is blank would be 0.
  const number = given.trim() === '' ? Number.NaN : Number(given)
  if (Number.isInteger(number) && number >= least && number <= most) return number
  throw new UsageError([`found ${given}; allowed: ${least} to ${most}${or ? `, ${or}` : ''}`], name)
}
