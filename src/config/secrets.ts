import { pathText } from './problems.ts'

export type Environment = Readonly<Record<string, string | undefined>>

/** What reading a configuration finds out, besides the configuration itself. */
export interface Findings {
  /** Mistakes: the gateway doesn't start. */
  readonly problems: string[]
  /** What was corrected, to be logged. */
  readonly notes: Set<string>
}

export function noFindings(): Findings {
  return { problems: [], notes: new Set() }
}

/** For `env:NAME` the variable's value (undefined if it isn't set), otherwise the text itself. */
export function fromEnvironment(text: string, env: Environment): string | undefined {
  if (!text.startsWith('env:')) return text
  return env[text.slice(4)] || undefined
}

/**
 * A variable's value, for use in a header; undefined if it isn't set. A value that no header can carry is a mistake at
 * `path`, and undefined too. The value is never shown. `allowed` is for the message.
 */
export function readVariable(
  path: readonly unknown[],
  name: string,
  env: Environment,
  { problems, notes }: Findings,
  allowed = carried,
): string | undefined {
  const value = env[name]
  if (!value) return undefined
  // `echo key > file` adds a line break that nobody notices.
  const text = value.replace(/[\r\n]+$/, '')
  const obstacle = text === '' ? 'is nothing but a line break' : obstacleIn(text)
  if (obstacle) {
    problems.push(`${pathText(path)}: ${name} ${obstacle}; allowed: ${allowed}`)
    return undefined
  }
  if (text !== value) notes.add(`${name} ends in a line break, which is left out`)
  return text
}

const carried = 'one line of Latin letters, digits and signs, without spaces around it'

/** Adds to `problems` if a header can't carry `text`, which is written in the configuration itself. */
export function checkCarried(path: readonly unknown[], text: string, problems: string[]): void {
  const obstacle = obstacleIn(text)
  if (obstacle) problems.push(`${pathText(path)}: it ${obstacle}; allowed: ${carried}`)
}

/** Why a header can't carry a text, or undefined. Servers strip spaces from both ends of a value. */
function obstacleIn(text: string): string | undefined {
  if (/[\r\n]/.test(text)) return 'holds a line break, which no header can carry'
  if (/[\x00-\x1f\x7f-\x9f]/.test(text)) return 'holds a control character, which no header can carry'
  if (/[^\x00-\xff]/.test(text)) return 'holds a character beyond Latin-1, which no header can carry'
  if (/^[ \xa0]|[ \xa0]$/.test(text)) return 'begins or ends with a space, which no header can carry'
  return undefined
}
