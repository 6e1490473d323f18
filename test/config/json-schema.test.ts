import { readFile } from 'node:fs/promises'
import { expect, it } from 'vitest'
import { configJsonSchema, schemaFile } from '../../scripts/schema.ts'
import { noLists } from '../support/ask.ts'
import { faultsIn } from '../support/config-schema.ts'
import { startGateway } from '../support/gateway.ts'

it('samewire.schema.json is what `npm run schema` writes', async () => {
  expect(await readFile(schemaFile, 'utf8')).toBe(await configJsonSchema())
})

it('An editor explains keys in the words of the source', async () => {
  const { properties } = JSON.parse(await configJsonSchema())
  expect(properties.maxAttempts.description).toMatch(/^Attempts per request, .* Default 12\.$/)
  expect(properties.models.additionalProperties.anyOf[1].properties.timeout.description).toMatch(/^Seconds for a whole/)
})

it.each([
  ['nothing', {}],
  ['the key by which editors find the schema', { $schema: './samewire.schema.json' }],
  [
    'an alias, a pattern and a list',
    { models: { a: 'p/m', 'b*': 'p/*', c: { deployments: ['p/m', { model: 'p/n' }] } } },
  ],
  ['settings of one type', { providers: { h: { type: 'huggingface', engine: 'tgi', billTo: 'us' } } }],
  ['no cooldown, no pass-through, no images', { cooldown: false, passThrough: false, fetchImages: false }],
  ['several for the rest', { passThrough: ['a', 'b'], dropParams: true, hedge: { after: 2 }, thinkTags: 'implied' }],
])('An editor takes %s', (_, config) => {
  expect(faultsIn(config)).toEqual([])
})

it.each([
  ['a key that there is not', { provider: {} }, ' must NOT have additional properties'],
  ['an unknown type', { providers: { p: { type: 'openapi' } } }, '/providers/p/type must be equal to constant'],
  ['a setting of another type', { providers: { p: { type: 'groq', engine: 'tgi' } } }, '/providers/p must NOT have'],
  [
    'a secret that is written out',
    { providers: { p: { type: 'groq', apiKey: 'gsk-1' } } },
    '/providers/p/apiKey must match',
  ],
  ['a key that is written out', { keys: ['sk-1'] }, '/keys/0 must match'],
  ['a time that is none', { timeout: 0 }, '/timeout must be > 0'],
  ['more retries than may be', { retries: 21 }, '/retries must be <= 20'],
  ['a model without deployments', { models: { m: { deployments: [] } } }, '/models/m/deployments must NOT have fewer'],
  ['a strategy that there is not', { routingStrategy: 'fastest' }, '/routingStrategy must be equal to one of'],
])('An editor marks %s', async (_, config, fault) => {
  expect(faultsIn(config)).toEqual(expect.arrayContaining([expect.stringContaining(fault)]))
  await expect(startGateway(config as object, { services: noLists })).rejects.toThrow("can't be used")
})

it('A configuration may name its schema', async () => {
  const gateway = await startGateway({ $schema: './samewire.schema.json' } as object, { services: noLists })
  await gateway.close()
})
