import { printable } from '../log.ts'

/** Where a command reads and writes. Data goes to `output`, words about it to `errors`. */
export interface Surroundings {
  readonly input: NodeJS.ReadableStream & { readonly isTTY?: boolean }
  readonly output: NodeJS.WritableStream & { readonly isTTY?: boolean }
  readonly errors: NodeJS.WritableStream
  readonly env: NodeJS.ProcessEnv
  /** Where files are looked for; default: the working directory. */
  readonly folder?: string
}

/** What stands behind a command's name. */
export interface Given {
  readonly words: readonly string[]
  /** By the option's long name without its dashes. */
  readonly values: Readonly<Record<string, string | undefined>>
  /** The options without a value that were given. */
  readonly flags: ReadonlySet<string>
}

/** What a shell offers for a value. */
export type Completed = 'file' | 'model' | readonly string[]

export interface Described {
  /** As in a usage line: `--url <URL>`, `-q, --quiet`, `[model]`. */
  readonly syntax: string
  readonly text: string
  /** Words in a list are the only ones allowed. */
  readonly values?: Completed
}

export interface Command {
  readonly name: string
  /** One line in the list of commands. */
  readonly summary: string
  /** What else its own help says. */
  readonly description?: string
  readonly arguments?: readonly Described[]
  readonly options?: readonly Described[]
  readonly examples: readonly string[]
  /** Resolves with the exit code. What only it needs is loaded by it. Rejects with a `Failure`, `Misuse` or `ConfigError` for the user. */
  run(given: Given, surroundings: Surroundings): Promise<number>
}

/** What a command couldn't do: exit code 1. */
export class Failure extends Error {
  override readonly name = 'Failure'
}

/** What a command can't be asked for: exit code 2. */
export class Misuse extends Error {
  override readonly name = 'Misuse'
}

/** Lines that are safe to print, whatever stands in them. */
export const printableLines = (text: string): string => text.split('\n').map(printable).join('\n')

/** JSON for the output. What is unprintable stands as escapes, which mean the same. */
export const json = (value: unknown): string => `${printableLines(JSON.stringify(value, null, 2))}\n`

export const asJSON: Described = { syntax: '--json', text: 'Prints JSON, for programs.' }

export const configOption: Described = {
  syntax: '--config <FILE>',
  text: 'The configuration. Without it, SAMEWIRE_CONFIG_FILE or the one that `samewire` would start with.',
  values: 'file',
}
