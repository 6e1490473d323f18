import { registry } from '../../providers/index.ts'
import { platforms } from '../../providers/platforms.ts'
import { readCatalog } from '../config/catalog.ts'
import { noFindings } from '../config/secrets.ts'
import { importChannels } from './channels.ts'
import type { Imported } from './imported.ts'
import { importLitellm } from './litellm/index.ts'
import { importModels } from './models.ts'
import { Platforms } from './platform.ts'
import { importPortkey } from './portkey/index.ts'
import { commentsOf } from './print/places.ts'
import { printProgram } from './print/program.ts'
import { printYAML } from './print/yaml.ts'
import { reportOf } from './report.ts'
import { readSource, type Source } from './source.ts'

type Importer = (source: Source, platforms: Platforms, name: string | undefined) => Imported

/** The gateways whose configurations can be imported, by the name that the command has for them. */
const importers = {
  litellm: importLitellm,
  portkey: importPortkey,
  openrouter: importModels,
  'one-api': importChannels,
} satisfies Record<string, Importer>

export type ImportSource = keyof typeof importers
export const importSources = Object.keys(importers) as ImportSource[]

export const importFormats = ['yaml', 'json', 'ts'] as const
/** `json` has no comments: what they say is in the report alone. */
export type ImportFormat = (typeof importFormats)[number]

export interface ImportOrder {
  readonly source: ImportSource
  /** YAML or JSON. */
  readonly text: string
  /** What the model is called, where the source has no name for it. Default: `*`, any name. */
  readonly name?: string | undefined
  readonly format: ImportFormat
}

export interface ImportResult extends Imported {
  /** The configuration, for a file. */
  readonly output: string
  /** For the standard error: each part of the source and what has become of it. Holds no keys. */
  readonly report: string
  /** How many parts of the source were not carried. */
  readonly lost: number
  /** Why the gateway would refuse the configuration; empty if it wouldn't. */
  readonly problems: readonly string[]
}

/**
 * Makes a configuration of another gateway's. Throws an `ImportError` if the text can't be read; what can't be carried is
 * told in the report. Secrets that the source has written out are in neither.
 */
export function importConfiguration({ source: from, text, name, format }: ImportOrder): ImportResult {
  const source = readSource(text)
  const imported = importers[from](source, new Platforms(platforms), name || undefined)
  const { configuration, notes } = imported
  const comments = commentsOf(configuration, notes)
  const findings = noFindings()
  readCatalog(configuration, registry, {}, findings)
  const { problems } = findings
  const printed: Record<ImportFormat, () => string> = {
    yaml: () => printYAML(configuration, comments),
    json: () => `${JSON.stringify(configuration, undefined, 2)}\n`,
    ts: () => printProgram(configuration, comments),
  }
  return {
    ...imported,
    output: printed[format](),
    report: reportOf(imported, source, problems),
    lost: notes.filter(({ outcome }) => outcome === 'lost').length + problems.length,
    problems,
  }
}
