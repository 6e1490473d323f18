import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { registry } from '../../providers/index.ts'
import { platforms } from '../../providers/platforms.ts'
import { buildCatalog } from '../../src/config/catalog.ts'
import { loadConfig } from '../../src/config/load.ts'
import { importConfiguration, importFormats, importSources } from '../../src/import/command.ts'
import { ImportError } from '../../src/import/source.ts'
import { usually } from '../support/usually.ts'
import { files, imported, sourceOf, textOf } from './importing.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'imports-'))
})
afterAll(() => rm(folder, { recursive: true }))

describe('What is made of another gateway’s configuration', () => {
  it.each(files.flatMap((file) => importFormats.map((format) => [file, format] as const)))(
    'loads: %s as %s',
    async (file, format) => {
      const { output, configuration, problems } = imported(file, format)
      const path = join(folder, `${file.replaceAll('/', '-')}.${format === 'ts' ? 'mjs' : format}`)
      await writeFile(path, output)
      const loaded = await loadConfig(path)
      expect(loaded).toEqual(configuration)
      expect(problems).toEqual([])
      expect(() => buildCatalog(loaded, registry, {})).not.toThrow()
    },
  )

  it.each(files)('has a comment for all that was not carried or changed: %s', (file) => {
    const { notes } = imported(file)
    const told = notes.filter(({ outcome }) => outcome !== 'carried')
    for (const format of ['yaml', 'ts'] as const) {
      const comments = imported(file, format)
        .output.split('\n')
        .filter((line) => /^\s*(#|\/\/) /.test(line))
      for (const { why = '' } of told)
        expect(comments.filter((line) => line.includes(why.slice(0, 80)))).not.toEqual([])
    }
  })

  it.each(files)('has no secret that the source has written out, and neither has the report: %s', (file) => {
    for (const format of importFormats) {
      const { output, report } = imported(file, format)
      expect(textOf(file)).toMatch(file.includes('team') ? /not-a-real/ : /./)
      expect(output + report).not.toMatch(/not-a-real|9f8e7d/)
    }
  })
})

describe('Whatever the text', () => {
  /** Names that the importers look at, among others. */
  const words = `model_list model_name litellm_params model api_key api_base order weight rpm timeout model_info
    router_settings model_group_alias fallbacks default_fallbacks general_settings master_key cooldown_time targets
    strategy mode fallback loadbalance provider virtual_key override_params retry attempts conditions query then models
    data type name status priority model_mapping base_url key openai/gpt-4o openai/* * azure/x @openai-prod/m a b
    __proto__ constructor env:X os.environ/X http://h:1/v1 **`.split(/\s+/)
  const word = fc.oneof(fc.constantFrom(...words), fc.string({ maxLength: 6 }))
  const { value } = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { depthSize: 'medium', withCrossShrink: true },
      word,
      fc.constantFrom(null, true, 0, 1, -1, 0.5, 1e9),
      fc.array(tie('value'), { maxLength: 4 }),
      fc.dictionary(word, tie('value'), { maxKeys: 5 }),
    ),
  }))
  const deployment = fc.record({
    model_name: fc.constantFrom('a', 'b', 'c', 'x/*', '*'),
    litellm_params: fc.record(
      {
        model: fc.constantFrom('openai/gpt-4o', 'groq/x', 'xai/y', '*', 'x/*'),
        weight: value,
        rpm: value,
        timeout: value,
        tools: value,
        silent_model: fc.constantFrom('a', 'b', 'zz'),
      },
      { requiredKeys: ['model'] },
    ),
  })
  const name = fc.constantFrom('a', 'b', 'c', '*', 'x/y')
  const fallbacks = fc.array(fc.dictionary(name, fc.array(name, { maxLength: 3 }), { maxKeys: 2 }), { maxLength: 5 })
  const gateway = fc.record({
    model_list: fc.array(deployment, { maxLength: 6 }),
    router_settings: fc.record({ model_group_alias: fc.dictionary(name, name, { maxKeys: 3 }), fallbacks }),
    litellm_settings: fc.record({ default_fallbacks: fc.array(name, { maxLength: 3 }), fallbacks: value }),
  })

  it.each(importSources)('%s: it is refused with a reason, or its result loads', (source) => {
    fc.assert(
      fc.property(fc.oneof(value, source === 'litellm' ? gateway : value), (any) => {
        const text = JSON.stringify(any)
        try {
          const { problems } = importConfiguration({ source, text, format: 'ts' })
          expect(problems).toEqual([])
        } catch (error) {
          if (!(error instanceof ImportError)) throw error
          expect(error.message).not.toBe('')
        }
      }),
      { numRuns: usually(100, 400) },
    )
  })

  it.each(files)('a broken piece of %s fails in no other way', (file) => {
    const text = textOf(file)
    fc.assert(
      fc.property(fc.nat(text.length), fc.nat(20), fc.string({ maxLength: 3 }), (at, length, instead) => {
        const broken = text.slice(0, at) + instead + text.slice(at + length)
        try {
          const { problems } = importConfiguration({ source: sourceOf(file), text: broken, format: 'yaml' })
          expect(problems).toEqual([])
        } catch (error) {
          if (!(error instanceof ImportError)) throw error
        }
      }),
      { numRuns: usually(40, 150) },
    )
  })

  it.each([
    ['a list of model_list', '- a\n- b\n', /^line 1: found .*; allowed: an object with "model_list"$/],
    ['no YAML', 'model_list:\n  - model_name: "a\n', /^line \d, column \d+: neither YAML nor JSON/],
    [
      'a tab as indent',
      'model_list:\n\t- model_name: a\n',
      /^line 2, column 1: neither YAML nor JSON \(tab as indent\)$/,
    ],
    ['nothing', '', /^line 1: found null; allowed/],
    ['an anchor that isn’t there', 'model_list: *all\n', /aliases/],
    ['very deep lists', '['.repeat(20_000), /levels|neither/],
    [
      'a bomb of aliases',
      `a: &a [x]\n${Array.from({ length: 9 }, (_, at) => `${'bcdefghij'[at]}: &${'bcdefghij'[at]} [${`*${'abcdefghi'[at]},`.repeat(9)}]`).join('\n')}`,
      /aliases/,
    ],
  ])('%s is told with its line', (_, text, message) => {
    expect(() => importConfiguration({ source: 'litellm', text, format: 'yaml' })).toThrow(ImportError)
    expect(() => importConfiguration({ source: 'litellm', text, format: 'yaml' })).toThrow(message)
  })

  it('quotes nothing of a text that it can’t read, which may hold keys', () => {
    const text = 'model_list:\n  - litellm_params: { api_key: "sk-secret-of-mine\n'
    try {
      importConfiguration({ source: 'litellm', text, format: 'yaml' })
      expect.unreachable()
    } catch (error) {
      expect(String(error)).toContain('line')
      expect(String(error)).not.toContain('secret-of-mine')
    }
  })
})

describe('The platforms of other gateways', () => {
  it('have types that there are, and names of their own', () => {
    expect(platforms.map(({ type }) => type).filter((type) => !Object.hasOwn(registry, type))).toEqual([])
    const plain = platforms.map(({ names }) => new Set(names.map((name) => name.replaceAll(/[-_]/g, '').toLowerCase())))
    const names = plain.flatMap((own) => [...own])
    expect(names.filter((name, at) => names.indexOf(name) !== at)).toEqual([])
  })

  it('are named so that the variable for their key is the one that the provider reads', () => {
    for (const { type, variable, names, keyless } of platforms) {
      const usual = registry[type]?.env?.apiKey
      if (usual !== undefined && !keyless && variable === undefined) {
        expect(`${names[0]?.toUpperCase()}_API_KEY`).toBe(usual)
      }
    }
  })
})
