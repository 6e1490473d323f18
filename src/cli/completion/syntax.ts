import type { Command, Completed, Described } from '../command.ts'

export interface Option {
  /** With its dashes. */
  readonly long: string
  /** With its dash. */
  readonly short: string | undefined
  /** What its value is called; undefined for one without a value. */
  readonly value: string | undefined
  readonly text: string
  readonly completed: Completed | undefined
}

const help: Described = { syntax: '-h, --help', text: 'Prints the help.' }
const version: Described = { syntax: '-v, --version', text: 'Prints the version.' }

/** Those of a command, the help included. */
export const optionsOf = ({ options = [] }: Command): Option[] => [...options, help].map(optionOf)

/** Those that stand where no command does: `start`'s, and the version. */
export function optionsWithout(commands: readonly Command[]): Option[] {
  const [start] = commands
  return [...(start ? optionsOf(start) : []), optionOf(version)]
}

function optionOf({ syntax, text, values }: Described): Option {
  const [, short, long = '', value] = /^(?:(-\w), )?(--[\w-]+)(?: <(.+)>)?$/.exec(syntax) ?? []
  return { long, short, value, text, completed: values }
}

/** Prints the names of the models, one a line, or nothing. */
export const listModels = 'samewire models --quiet 2>/dev/null'

/** A text as one word of a shell. */
export const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`
