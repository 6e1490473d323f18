import { styleText } from 'node:util'
import { Argument, CommanderError, Option, Command as Program } from 'commander'
import { type Command, type Described, Failure, Misuse, printableLines, type Surroundings } from './command.ts'
import { commands as all } from './commands.ts'

const description = `One wire, any model: an HTTP gateway that speaks OpenAI's API in front of many providers.`

const environment = `Environment, or .env in the working directory:
  SAMEWIRE_URL          The running gateway, for chat, models, keys and usage
  SAMEWIRE_KEY          The key that the gateway requires, and that these commands send
  SAMEWIRE_ADMIN_KEY    The key for admin routes, that keys and usage send
  SAMEWIRE_CONFIG_FILE  The configuration
  NO_COLOR              No colors, not even in a terminal`

const epilogue = `${environment}

Exit codes: 0, 1 if it failed, 2 if the arguments are wrong, 130 if it was interrupted.

Examples:
  samewire
  samewire --config samewire.yaml --port 8080
  samewire chat gpt-4o
  samewire explain gpt-4o
  samewire check samewire.yaml

\`samewire models --help\` says more of a command. In a clone of the repository it is \`npx samewire\`.`

export interface Setting extends Surroundings {
  readonly version: string
  /** Comes before every command, but not before help. Rejects as a command does. */
  readonly prepare?: () => Promise<void>
  readonly commands?: readonly Command[]
}

/** Runs a command line, without the program's name. Resolves with the exit code; rejects with what is a bug. */
export async function runCommand(args: readonly string[], setting: Setting): Promise<number> {
  let code = 0
  const program = createProgram(setting, (result) => {
    code = result
  })
  try {
    await program.parseAsync(withCommand(args, program), { from: 'user' })
    return code
  } catch (error) {
    // It has printed what it had to say.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    return await tell(error, setting)
  }
}

/** Options without a command are those of `start`, unless they ask for the help or the version of all. */
function withCommand(args: readonly string[], program: Program): readonly string[] {
  const [first = 'start', second = '-'] = args
  // For which Commander has the help of all.
  if (first === 'help' && !second.startsWith('-') && !program.commands.some((one) => one.name() === second))
    return args.slice(1)
  const isVersion = args.some((word) => word === '--version' || word === '-v')
  if (first.startsWith('-') && isVersion) return ['--version']
  const isAlone = args.length === 1 && ['--help', '-h'].includes(first)
  return (first.startsWith('-') && !isAlone) || args.length === 0 ? [startOf(program).name(), ...args] : args
}

/** The first command: what happens without one. */
const startOf = (program: Program) => program.commands[0] ?? program

async function tell(error: unknown, { errors }: Surroundings): Promise<number> {
  const say = (text: string) => errors.write(`${printableLines(text)}\n`)
  if (error instanceof Misuse || error instanceof Failure) {
    say(error.message)
    return error instanceof Misuse ? 2 : 1
  }
  const { ConfigError } = await import('../config/problems.ts')
  if (!(error instanceof ConfigError)) throw error
  say(error.message)
  return 1
}

function createProgram(setting: Setting, done: (code: number) => void): Program {
  const { output, errors, env, version, prepare, commands = all } = setting
  const hasColors = () => output.isTTY === true && !env.NO_COLOR
  const program: Program = new Program('samewire')
    .description(description)
    .usage('[command] [options]')
    .version(version, '-v, --version', 'Prints the version.')
    .helpOption('-h, --help', 'Prints this.')
    .exitOverride()
    .configureHelp({ styleTitle: (title) => styleText('bold', title, { validateStream: false }) })
    .configureOutput({
      writeOut: (text) => output.write(text),
      writeErr: (text) => errors.write(text),
      outputError: (text, write) => write(printableLines(text)),
      getOutHasColors: hasColors,
      getErrHasColors: hasColors,
    })
    .addHelpText('after', () => `\n${optionsText(startOf(program))}\n${epilogue}`)
  program.hook('preAction', async () => await prepare?.())
  for (const command of commands) add(command, program, setting, done)
  return program.helpCommand('help [command]', 'Prints the help of a command.')
}

function add(command: Command, program: Program, surroundings: Surroundings, done: (code: number) => void): void {
  const { name, summary, description: more, options = [], examples } = command
  const own = program
    .command(name)
    .summary(summary)
    .description(more ? `${summary}\n${more}` : summary)
    .helpOption('-h, --help', 'Prints this.')
    .showHelpAfterError(`\`samewire ${name} --help\` shows what there is.`)
    .addHelpText('after', `\nExamples:\n${examples.map((line) => `  ${line}`).join('\n')}`)
  for (const argument of command.arguments ?? [])
    own.addArgument(limited(argument, new Argument(argument.syntax, argument.text)))
  for (const option of options) own.addOption(limited(option, new Option(option.syntax, option.text)))
  own.action(async () => {
    const given = Object.entries(own.opts()).map(([key, value]) => [kebab(key), value] as const)
    done(
      await command.run(
        {
          words: own.processedArgs.filter((word) => typeof word === 'string'),
          values: Object.fromEntries(
            given.flatMap(([key, value]) => (typeof value === 'string' ? [[key, value]] : [])),
          ),
          flags: new Set(given.flatMap(([key, value]) => (value === true ? [key] : []))),
        },
        surroundings,
      ),
    )
  })
}

const kebab = (name: string) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)

function limited<Made extends Argument | Option>({ values }: Described, made: Made): Made {
  if (Array.isArray(values)) made.choices(values)
  return made
}

/** The options of `start`, which are those of the program, too. */
function optionsText(start: Program): string {
  const helper = start.createHelp()
  helper.prepareContext({})
  const width = helper.padWidth(start, helper)
  const items = helper
    .visibleOptions(start)
    .filter(({ long }) => long !== '--help')
    .map((option) => helper.formatItem(helper.optionTerm(option), width, helper.optionDescription(option), helper))
  return helper.formatItemList('Options of start:', items, helper).join('\n')
}
