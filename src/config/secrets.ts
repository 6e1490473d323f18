import { pathText } from './problems.ts'

export type Environment = Readonly<Record<string, string | undefined>>

/** What reading a configuration brings to light, besides the configuration. */
export interface Findings {
  /** Mistakes: the gateway doesn't start. */
  readonly problems: string[]
  /** What is put right, and worth a word in the log. */
  readonly notes: Set<string>
}

export function noFindings(): Findings {
  return { problems: [], notes: new Set() }
}

/** `env:NAME` as the variable's value (undefined when it isn't set), anything else as it is. */
export function fromEnvironment(text: string, env: Environment): string | undefined {
  if (!text.startsWith('env:')) return text
  return env[text.slice(4)] || undefined
}

/**
 * A variable's value as a header can carry it; undefined when it isn't set, or can't be carried, which is a mistake at
 * `path`. The value is never shown.
 */
export function readVariable(
  path: readonly unknown[],
  name: string,
  env: Environment,
  { problems, notes }: Findings,
): string | undefined {
  const value = env[name]
  if (!value) return undefined
  // `echo key > file` ends a key with one, and nobody sees it.
  const text = value.replace(/[\r\n]+$/, '')
  const obstacle = text === '' ? 'is nothing but a line break' : obstacleIn(text)
  if (obstacle) {
    problems.push(`${pathText(path)}: ${name} ${obstacle}; allowed: ${carried}`)
    return undefined
  }
  if (text !== value) notes.add(`${name} ends in a line break, which is left out`)
  return text
}

const carried = 'one line of Latin letters, digits and signs, without spaces around it'

/** Adds to `problems` when a header can't carry `text`, which stands in the configuration itself. */
export function checkCarried(path: readonly unknown[], text: string, problems: string[]): void {
  const obstacle = obstacleIn(text)
  if (obstacle) problems.push(`${pathText(path)}: it ${obstacle}; allowed: ${carried}`)
}

/** Why a header can't carry a text, or undefined. Servers take the spaces around a value away. */
function obstacleIn(text: string): string | undefined {
  if (/[\r\n]/.test(text)) return 'holds a line break, which no header can carry'
  if (/[\x00-\x1f\x7f-\x9f]/.test(text)) return 'holds a control character, which no header can carry'
  if (/[^\x00-\xff]/.test(text)) return 'holds a character beyond Latin-1, which no header can carry'
  if (/^[ \xa0]|[ \xa0]$/.test(text)) return 'begins or ends with a space, which no header can carry'
  return undefined
}
