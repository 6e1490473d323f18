import type { ImportFormat, ImportOrder, ImportResult, ImportSource } from '../import/command.ts'
import { type Command, Failure, Misuse, type Surroundings } from './command.ts'

/** The gateways, and which of their files is read. */
const sources = {
  litellm: `the proxy's config.yaml`,
  portkey: 'a config, as JSON',
  openrouter: 'a request that names models and providers',
  'one-api': 'the channels, as its API lists them',
} satisfies Record<ImportSource, string>
const whose = Object.entries(sources)
  .map(([source, what]) => `${source} (${what})`)
  .join(', ')

const formats: readonly string[] = ['yaml', 'json', 'ts'] satisfies ImportFormat[]

export const importCommand: Command = {
  name: 'import',
  summary: `Makes a configuration of another gateway's.`,
  description: 'The configuration goes to the standard output, and what could not be carried over to the errors.',
  arguments: [
    { syntax: '<source>', text: whose, values: Object.keys(sources) },
    { syntax: '<file>', text: 'Where it is; - is the standard input.', values: 'file' },
  ],
  options: [
    { syntax: '--out <FILE>', text: 'Writes the configuration to this file, which must not exist.', values: 'file' },
    { syntax: '--format <FORMAT>', text: 'Without it, by the ending of --out, or yaml.', values: formats },
    { syntax: '--name <NAME>', text: 'The name of the model, where the source has none for it.' },
    { syntax: '--strict', text: 'The exit code is 1 if something could not be carried over.' },
  ],
  examples: [
    'samewire import litellm config.yaml > samewire.yaml',
    'samewire import portkey config.json --name chat --out samewire.config.ts',
    'samewire import litellm config.yaml --strict > samewire.yaml && samewire check samewire.yaml',
  ],
  async run({ words: [source = '', file = ''], values, flags }, surroundings) {
    const { output, errors } = surroundings
    const format = formatOf(values)
    const text = await textOf(file, surroundings)
    // The words are among those allowed.
    const imported = await importText({ source: source as ImportSource, text, format, name: values.name }, file)
    const written = imported.output.replace(/\n?$/, '\n')
    if (values.out === undefined) output.write(written)
    else await write(values.out, written)
    if (imported.report !== '') errors.write(imported.report.replace(/\n?$/, '\n'))
    const { lost, notes } = imported
    const nothing = lost > 0 && notes.every(({ outcome }) => outcome === 'lost')
    return nothing || (flags.has('strict') && lost > 0) ? 1 : 0
  },
}

async function importText(order: ImportOrder, file: string): Promise<ImportResult> {
  const [{ importConfiguration }, { ImportError }] = await Promise.all([
    import('../import/command.ts'),
    import('../import/source.ts'),
  ])
  try {
    return importConfiguration(order)
  } catch (error) {
    throw error instanceof ImportError ? new Failure(`${file}: ${error.message}`) : error
  }
}

function formatOf({ format, out }: Readonly<Record<string, string | undefined>>): ImportFormat {
  if (format !== undefined || out === undefined) return (format ?? 'yaml') as ImportFormat
  const ending = /\.(\w+)$/.exec(out)?.[1]?.replace('yml', 'yaml').replace('mts', 'ts')
  if (ending !== undefined && formats.includes(ending)) return ending as ImportFormat
  throw new Misuse(`${out} has none of the endings .yaml, .yml, .json, .ts and .mts: --format says what it is to be`)
}

async function textOf(file: string, { input }: Surroundings): Promise<string> {
  if (file === '-') return await (await import('node:stream/consumers')).text(input)
  const [{ readText }, { reasonOf }] = await Promise.all([import('../config/text.ts'), import('../config/load.ts')])
  return await readText(file).catch((error: unknown) => {
    throw new Failure(`${file} can't be read: ${reasonOf(error, file)}`)
  })
}

async function write(file: string, text: string): Promise<void> {
  const { writeFile } = await import('node:fs/promises')
  await writeFile(file, text, { flag: 'wx' }).catch((error: NodeJS.ErrnoException) => {
    throw new Failure(`${file} can't be written: ${error.code === 'EEXIST' ? 'it exists' : error.message}`)
  })
}
