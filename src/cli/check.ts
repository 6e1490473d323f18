import type { Catalog } from '../core/catalog.ts'
import { printable } from '../log.ts'
import { fateOfMissing } from '../start-text.ts'
import { asJSON, type Command, configOption, json, Misuse } from './command.ts'
import type { Local } from './local.ts'
import { tableLines } from './table.ts'

export const check: Command = {
  name: 'check',
  summary: 'Says what is wrong with a configuration, or what it would serve.',
  description: 'The exit code is 1 if anything is wrong. No provider is asked.',
  arguments: [{ ...configOption, syntax: '[file]' }],
  options: [asJSON, { syntax: '--config <FILE>', text: 'The same as the argument.', values: 'file' }],
  examples: ['samewire check', 'samewire check samewire.yaml', 'samewire check samewire.yaml --json'],
  async run({ words: [word], values, flags }, surroundings) {
    if (word !== undefined && values.config !== undefined) throw new Misuse('the file is given twice')
    const { output } = surroundings
    const [{ problemsOf, withLocal }, { ConfigError }] = await Promise.all([
      import('./local.ts'),
      import('../config/problems.ts'),
    ])
    const asked = word ?? values.config
    try {
      const served = await withLocal(asked, surroundings, servedBy)
      output.write(flags.has('json') ? json({ ok: true, problems: [], ...served }) : textOf(served))
      return 0
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      output.write(flags.has('json') ? json({ ok: false, problems: problemsOf(error) }) : `${error.message}\n`)
      return 1
    }
  },
}

interface Served {
  readonly file: string
  readonly notes: readonly string[]
  readonly providers: readonly { readonly name: string; readonly address: string; readonly unusable: string | null }[]
  readonly models: readonly {
    readonly name: string
    readonly deployments: readonly string[]
    readonly fallbacks: readonly string[]
  }[]
  /** The model that answers for those that are missing. */
  readonly fallback: string | null
  /** How many keys clients may use, besides those that the gateway makes. */
  readonly keys: number
  /** Whether the gateway makes keys. */
  readonly makesKeys: boolean
  /** Whether requests need no key, as far as that is known without a look into the store. */
  readonly open: boolean
  /** What becomes of requests for missing models. */
  readonly missing: string
}

function servedBy({ file, notes, gateway: { catalog }, access, keeps }: Local): Served {
  return {
    file,
    notes,
    providers: [...catalog.providers.values()].map(({ name, definition, settings, unavailable }) => ({
      name,
      address: definition.serve ? definition.title : settings.baseURL,
      unusable: unavailable ?? null,
    })),
    models: groupsOf(catalog).map(({ name, deployments, fallbacks }) => ({
      name,
      deployments: deployments.map(({ label }) => label),
      fallbacks,
    })),
    fallback: catalog.fallback ?? null,
    keys: access.mode === 'keys' ? access.keys.length : 0,
    makesKeys: keeps,
    open: access.mode === 'open',
    missing: fateOfMissing(catalog),
  }
}

const groupsOf = ({ models, patterns }: Catalog) => [...models.values(), ...patterns.values]

function textOf({ file, notes, providers, models, missing, ...access }: Served): string {
  const section = (lines: readonly string[]) => (lines.length > 0 ? ['', ...lines.map((line) => `  ${line}`)] : [])
  const lines = [
    `${file} is right.`,
    ...notes.map((note) => `  ${note}`),
    ...section(
      tableLines(
        { provider: ({ name }) => name, '': ({ address, unusable }) => stateOf(address, unusable) },
        providers,
      ),
    ),
    ...(models.length > 0
      ? section(
          tableLines(
            {
              model: ({ name }) => name,
              'stands for': ({ deployments }) => deployments.join(', '),
              'falls back to': ({ fallbacks }) => fallbacks.join(', '),
            },
            models,
          ),
        )
      : []),
    ...section([`missing models ${missing}`, textOfAccess(access)]),
  ]
  return lines.map((line) => `${printable(line)}\n`).join('')
}

function textOfAccess({ keys, makesKeys, open }: Pick<Served, 'keys' | 'makesKeys' | 'open'>): string {
  if (open)
    return `no key required${makesKeys ? ' unless some were made' : ''}: only programs on this machine can use it`
  const more = makesKeys ? 'keys that the gateway makes' : undefined
  if (keys === 0) return `${more} are accepted`
  const own = `${keys} ${keys === 1 ? 'key' : 'keys'}`
  return more ? `${own} and ${more} are accepted` : `${own} ${keys === 1 ? 'is' : 'are'} accepted`
}

const stateOf = (address: string, unusable: string | null) => (unusable === null ? address : `not usable: ${unusable}`)
