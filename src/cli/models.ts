import { printable } from '../log.ts'
import { entriesOf, type ListedEntry } from '../wire/model-list.ts'
import { addressOptions } from './address.ts'
import { asJSON, type Command, configOption, type Given, json, Misuse, type Surroundings } from './command.ts'
import { askGateway } from './running.ts'
import { tableLines } from './table.ts'

export const models: Command = {
  name: 'models',
  summary: 'Lists the models that requests can name.',
  description: 'Those of the running gateway, or with --local those that one with this configuration would list.',
  options: [
    { syntax: '-q, --quiet', text: 'Prints only the names.' },
    asJSON,
    ...addressOptions,
    { syntax: '--local', text: 'Asks no gateway: reads the configuration, and asks its providers.' },
    configOption,
  ],
  examples: [
    'samewire models',
    'samewire models --quiet | grep llama',
    'samewire models --local --config samewire.yaml --json',
  ],
  async run(given, surroundings) {
    const list = await listOf(given, surroundings)
    surroundings.output.write(given.flags.has('json') ? json(list) : textOf(entriesOf(list), given.flags.has('quiet')))
    return 0
  },
}

async function listOf(given: Given, surroundings: Surroundings): Promise<object> {
  const { values, flags } = given
  if (!flags.has('local')) {
    if (values.config !== undefined) throw new Misuse('--config needs --local: a running gateway has its own')
    return Object(await askGateway('/models', given, surroundings))
  }
  if (values.url !== undefined) throw new Misuse('--local and --url exclude each other')
  const { withLocal } = await import('./local.ts')
  return await withLocal(values.config, surroundings, async ({ gateway }) => ({
    object: 'list',
    data: await gateway.models(),
  }))
}

function textOf(entries: readonly ListedEntry[], quiet: boolean): string {
  const lines = quiet ? entries.map(({ id }) => id) : entries.length === 0 ? [] : tableLines(columns, entries)
  return lines.map((line) => `${printable(line)}\n`).join('')
}

const columns: Readonly<Record<string, (entry: ListedEntry) => string>> = {
  model: ({ id }) => id,
  'stands for': ({ fields: { root } }) => String(root ?? ''),
  context: ({ fields: { context_length: length } }) => String(length ?? ''),
  '$ per million tokens': ({ fields: { pricing } }) => priceOf(Object(pricing)),
}

function priceOf({ prompt, completion }: { readonly prompt?: unknown; readonly completion?: unknown }): string {
  const perMillion = (price: unknown) => Number((Number(price) * 1e6).toPrecision(6))
  return prompt === undefined ? '' : `${perMillion(prompt)} in, ${perMillion(completion)} out`
}
