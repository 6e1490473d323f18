import { readdir, readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { toJsonSchema } from '@valibot/to-json-schema'
import type * as v from 'valibot'
import { registry } from '../providers/index.ts'
import { configSchema } from '../src/config/schema.ts'
import type { ProviderDefinition } from '../src/core/provider.ts'

/**
 * `npm run schema`: writes `samewire.schema.json`, by which editors check and complete a configuration. It is made from
 * the schema that the gateway checks with, from the comments in it, and from the settings of the providers.
 */
export const schemaFile = fileURLToPath(new URL('../samewire.schema.json', import.meta.url))

/** The schema's source, its parts first: where both comment on a key, the whole one has the last word. */
export async function schemaSource(): Promise<string> {
  const whole = new URL('../src/config/schema.ts', import.meta.url)
  const folder = new URL('../src/config/schema/', import.meta.url)
  const parts = (await readdir(folder)).sort().map((name) => new URL(name, folder))
  return (await Promise.all([...parts, whole].map((file) => readFile(file, 'utf8')))).join('\n')
}

/** The parts of JSON Schema that occur here. */
interface Schema {
  $schema?: string
  title?: string
  description?: string
  type?: string
  const?: unknown
  enum?: readonly unknown[]
  pattern?: string
  properties?: Record<string, Schema>
  required?: readonly string[]
  additionalProperties?: Schema | boolean
  propertyNames?: Schema
  items?: Schema
  anyOf?: Schema[]
}

/** The text of `samewire.schema.json`. */
export async function configJsonSchema(): Promise<string> {
  const schema = toJsonSchema(withUnions(configSchema as unknown as Part) as unknown as v.GenericSchema, {
    // Values of request fields, which may be anything that JSON has a word for.
    overrideSchema: ({ valibotSchema, jsonSchema }) => (valibotSchema.type === 'custom' ? {} : jsonSchema),
  }) as Schema
  for (const [names, comments] of documented(await schemaSource())) describe(schema, names, comments)
  const { $schema, properties = {}, ...rest } = schema
  const providers = properties.providers as Schema
  const provider = providers.additionalProperties as Schema
  const { keys } = properties
  const named = { type: 'string', pattern: '^env:.+' }
  const limited = keys?.items?.anyOf?.find(({ type }) => type === 'object')
  const whole = {
    $schema,
    title: 'The configuration of samewire',
    ...rest,
    properties: {
      $schema: { type: 'string' },
      ...properties,
      providers: {
        ...providers,
        additionalProperties: { anyOf: Object.values(registry).map((one) => typed(provider, one)) },
      },
      keys: { ...keys, items: { anyOf: [named, { ...limited, properties: { ...limited?.properties, key: named } }] } },
    },
  }
  return `${JSON.stringify(whole, null, 2)}\n`
}

/** A provider of one type, with the settings that only it has. */
function typed({ properties = {} }: Schema, { type, title, settings = {} }: ProviderDefinition): Schema {
  const own = Object.entries(settings).map(([key, kind]) => [
    key,
    kind === 'text' ? { type: 'string' } : { enum: kind },
  ])
  const apiKey = { ...properties.apiKey, pattern: '^(env:.+|client)$' }
  return {
    title,
    type: 'object',
    properties: { ...properties, type: { const: type }, apiKey, ...Object.fromEntries(own) },
    required: ['type'],
    additionalProperties: false,
  }
}

/** A part of a valibot schema. */
interface Part {
  readonly type: string
  readonly options?: readonly unknown[]
  readonly entries?: Readonly<Record<string, Part>>
  readonly item?: Part
  readonly value?: Part
  readonly wrapped?: Part
  readonly pipe?: readonly Part[]
}

/** With a union in place of each part that is chosen by the value. */
function withUnions(part: Part): Part {
  const { type, options = [], entries, item, value, wrapped, pipe } = part
  if (type === 'lazy') {
    const [only, ...others] = (options as Part[]).map(withUnions)
    return only && others.length === 0 ? only : { type: 'union', options: [only, ...others] }
  }
  if (pipe)
    return {
      ...part,
      pipe: pipe.map((step, at) => (at === 0 ? withUnions(step) : step)),
    }
  return {
    ...part,
    ...(entries && {
      entries: Object.fromEntries(Object.entries(entries).map(([key, one]) => [key, withUnions(one)])),
    }),
    ...(item && { item: withUnions(item) }),
    ...(value && { value: withUnions(value) }),
    ...(wrapped && { wrapped: withUnions(wrapped) }),
  }
}

type Comments = ReadonlyMap<string, string>

/** The comments on the keys of each object in a source, with the names of all its keys. */
function documented(text: string): readonly (readonly [readonly string[], Comments])[] {
  const alone = new Map(
    [...text.matchAll(/\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\n(?:export )?const (\w+) = v\.optional/g)].map(named),
  )
  return [...text.matchAll(/^(?:export )?const \w+ = (?:v\.\w+\()?\{\n([\s\S]*?)^\}/gm)].map(([, body = '']) => {
    const keys = [...body.matchAll(/^ {2}(\w+)(?::|,$)/gm)].map(([, key = '']) => key)
    const comments = [...body.matchAll(/^ {2}\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\n {2}(\w+):/gm)].map(named)
    const shared = keys.flatMap((key) => (alone.has(key) ? [[key, alone.get(key) ?? ''] as const] : []))
    return [keys, new Map([...comments, ...shared])] as const
  })
}

function named([, comment = '', key = '']: RegExpMatchArray): readonly [string, string] {
  return [key, comment.replace(/\s*\n\s*\* ?/g, ' ').trim()]
}

/** Puts comments on the properties of those objects that have all of the names. */
function describe(schema: Schema, names: readonly string[], comments: Comments): void {
  const { properties = {}, anyOf = [], additionalProperties, items } = schema
  if (names.every((name) => Object.hasOwn(properties, name))) {
    for (const [name, description] of comments) Object.assign(properties[name] as Schema, { description })
  }
  const inner = [...Object.values(properties), ...anyOf, additionalProperties, items]
  for (const part of inner) if (typeof part === 'object') describe(part, names, comments)
}

if (import.meta.main) await writeFile(schemaFile, await configJsonSchema())
