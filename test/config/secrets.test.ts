import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { registry } from '../../providers/index.ts'
import { assemble } from '../../src/assemble.ts'
import { buildCatalog } from '../../src/config/catalog.ts'
import { loadConfig } from '../../src/config/load.ts'
import type { Environment } from '../../src/config/providers.ts'
import type { Config } from '../../src/config/schema.ts'
import { fetchEdge } from '../../src/runtime/fetch-edge.ts'
import { hastyClock, noLists } from '../support/ask.ts'

const secret = 'sk-live-MARKER0123456789'

function build(config: unknown, env: Environment = {}) {
  return assemble<object>({
    config: config as Config,
    registry,
    env,
    edge: fetchEdge,
    withoutKeys: { mode: 'open' },
    services: {
      ...noLists,
      transport: () => Promise.reject(new Error('no transport')),
      clock: hastyClock(),
      random: () => 0,
      asset: () => Promise.reject(new Error('no asset')),
      log() {},
    },
  })
}

function messageOf(action: () => unknown): string {
  try {
    action()
  } catch (error) {
    return (error as Error).message
  }
  throw new Error('nothing was thrown')
}

const p = { type: 'openai-compatible', baseURL: 'http://p.test' }

describe('A secret written in the file is refused and never shown', () => {
  it.each<[string, unknown, RegExp]>([
    [
      'a provider’s key',
      { providers: { p: { ...p, apiKey: secret } } },
      /providers\.p\.apiKey: a secret is named, never written/,
    ],
    ['a provider’s key in a list', { providers: { p: { ...p, apiKey: [secret] } } }, /providers\.p\.apiKey/],
    [
      'a provider’s key in an object',
      { providers: { p: { ...p, apiKey: { value: secret } } } },
      /providers\.p\.apiKey/,
    ],
    [
      'a key of the gateway',
      { providers: { p }, keys: [secret] },
      /keys\[0\]: a secret is named, never written; allowed: "env:NAME"/,
    ],
    ['a key of the gateway, not in a list', { providers: { p }, keys: secret }, /^.*\n {2}keys: /],
    ['a key of the gateway in an object', { providers: { p }, keys: [{ key: secret }] }, /keys\[0\]/],
    ['a key under a misspelt name', { providers: { p: { ...p, apikey: secret } } }, /did you mean "apiKey"/],
    [
      'a key in the address',
      { providers: { p: { ...p, baseURL: `https://user:${secret}@p.test` } } },
      /providers\.p\.baseURL/,
    ],
    [
      'a key in the address’s query',
      { providers: { p: { ...p, baseURL: `https://p.test?key=${secret}` } } },
      /providers\.p\.baseURL/,
    ],
    [
      'a header that is no text',
      { providers: { p: { ...p, headers: { 'x-key': [secret] } } } },
      /providers\.p\.headers/,
    ],
  ])('%s', (_what, config, expected) => {
    const message = messageOf(() => build(config))
    expect(message).toMatch(expected)
    expect(message).not.toContain('MARKER')
  })

  it('also not from an environment variable that holds no address', () => {
    const config = { providers: { p: { type: 'openai-compatible', baseURL: 'env:ADDRESS' } } }
    const message = messageOf(() => build(config, { ADDRESS: `https://user:${secret}@p.test` }))
    expect(message).not.toContain('MARKER')
  })
})

describe('A secret in a file that can’t be read is never shown', () => {
  let folder = ''
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'samewire-'))
  })
  afterAll(() => rm(folder, { recursive: true }))

  it.each([
    ['a.json', `{"providers": {"p": {"apiKey": ${secret}}}}`],
    ['b.json', `{"providers": {"p": {"apiKey": "${secret}" "type": "x"}}}`],
    ['c.json', `{"apiKey": "${secret}`],
    ['d.yaml', `providers:\n  p:\n    apiKey: ${secret}: x\n`],
    ['e.yaml', `providers:\n  p: {apiKey: "${secret}\n`],
  ])('%s: the place is told instead', async (name, text) => {
    const file = join(folder, name)
    await writeFile(file, text)
    const message = await loadConfig(file).then(
      () => 'loaded',
      (error: Error) => error.message,
    )
    expect(message).toContain(`${file} can't be used`)
    expect(message).not.toContain('MARKER')
    expect(message).toMatch(/line \d+|position \d+|JSON/)
  })
})

describe('A key that no header can carry is refused with its place, and never shown', () => {
  const ascii = 'allowed: letters, digits and signs of ASCII, without spaces'
  const carry = 'allowed: one line of Latin letters, digits and signs, without spaces around it'

  it.each<[string, string, string]>([
    ['a line break inside', `${secret}\nx`, 'holds a line break, which no header can carry'],
    ['a carriage return inside', `${secret}\rx`, 'holds a line break, which no header can carry'],
    ['a control character', `${secret}\u0000`, 'holds a control character, which no header can carry'],
    ['a tabulator', `${secret}\tx`, 'holds a control character, which no header can carry'],
    ['a letter beyond Latin-1', `${secret}→`, 'holds a character beyond Latin-1, which no header can carry'],
    ['a byte order mark', `\ufeff${secret}`, 'holds a character beyond Latin-1, which no header can carry'],
    ['a space before it', ` ${secret}`, 'begins or ends with a space, which no header can carry'],
    ['a space behind it', `${secret} `, 'begins or ends with a space, which no header can carry'],
    ['nothing but a line break', '\r\n', 'is nothing but a line break'],
  ])('%s', (_what, value, said) => {
    const config = {
      providers: { p: { ...p, apiKey: 'env:THEIRS', headers: { 'x-team': 'env:TEAM' } }, o: { type: 'openai' } },
      keys: ['env:OURS'],
    }
    const env = { SAMEWIRE_KEY: value, OURS: value, THEIRS: value, TEAM: value, OPENAI_API_KEY: value }
    const message = messageOf(() => build(config, env))
    expect(message).not.toContain('MARKER')
    expect(message.split('\n').slice(1).sort()).toEqual([
      `  SAMEWIRE_KEY: SAMEWIRE_KEY ${said}; ${ascii}`,
      `  keys[0]: OURS ${said}; ${ascii}`,
      `  providers.o.apiKey: OPENAI_API_KEY ${said}; ${carry}`,
      `  providers.p.apiKey: THEIRS ${said}; ${carry}`,
      `  providers.p.headers["x-team"]: TEAM ${said}; ${carry}`,
    ])
  })

  it('but not one of a provider of Latin-1 letters and signs', () => {
    const { gateway } = build({ providers: { p: { ...p, apiKey: 'env:THEIRS' } } }, { THEIRS: 'clé-§1' })
    expect(gateway.catalog.providers.get('p')?.settings.apiKey).toBe('clé-§1')
  })

  // curl sends the terminal's UTF-8 and `fetch` Latin-1. A key `café` got silent 401s in omlx, and openai-python fails on
  // a pasted dash or no-break space.
  it.each(['clé-MARKER-§1', 'MARKER\u00ffx', 'MARKER\u00ada', 'a\u00a0MARKER'])(
    'and so is a key of the gateway that clients encode in different ways: %j',
    (value) => {
      const message = messageOf(() =>
        build({ providers: { p }, keys: ['env:OURS'] }, { OURS: value, SAMEWIRE_KEY: value }),
      )
      expect(message).toMatch(/ {2}keys\[0\]: OURS holds a (character beyond ASCII|space)/)
      expect(message).toMatch(/ {2}SAMEWIRE_KEY: SAMEWIRE_KEY holds a (character beyond ASCII|space)/)
      expect(message).toContain(ascii)
      expect(message).not.toContain('MARKER')
    },
  )

  it('but not one of the gateway of any printable ASCII', () => {
    const all = Array.from({ length: 94 }, (_, index) => String.fromCharCode(0x21 + index)).join('')
    expect(build({ providers: { p } }, { SAMEWIRE_KEY: all }).access).toMatchObject({ keys: [{ secret: all }] })
  })

  it('and so is a key of the gateway with a space in it, where `Bearer` would end', () => {
    const message = messageOf(() => build({ providers: { p }, keys: ['env:OURS'] }, { OURS: `${secret} x` }))
    expect(message).toContain(
      'keys[0]: OURS holds a space, which would end it; allowed: letters, digits and signs of ASCII',
    )
    expect(message).not.toContain('MARKER')
  })

  it('and so is a header that is written in the file, or whose name is none', () => {
    const message = messageOf(() => build({ providers: { p: { ...p, headers: { 'x-a': 'a→b', 'x b': 'c' } } } }))
    expect(message).toContain('providers.p.headers["x-a"]: it holds a character beyond Latin-1')
    expect(message).toContain('providers.p.headers["x b"]: no name of a header')
  })
})

describe('A key with a line break at its end, as `echo` makes it', () => {
  it.each(['\n', '\r\n', '\n\n'])('is taken without it, and told once: %j', (end) => {
    const env = { SAMEWIRE_KEY: `${secret}${end}`, THEIRS: `theirs${end}` }
    const one = { ...p, apiKey: 'env:THEIRS' }
    const { access, notes, gateway } = build({ providers: { one, two: one }, keys: ['env:SAMEWIRE_KEY'] }, env)
    expect(access).toEqual({ mode: 'keys', keys: [{ name: 'SAMEWIRE_KEY', secret }] })
    expect(gateway.catalog.providers.get('two')?.settings.apiKey).toBe('theirs')
    const left = 'ends in a line break, which is left out'
    expect(notes).toEqual([`THEIRS ${left}`, `SAMEWIRE_KEY ${left}`])
  })
})

describe('A secret that is named but not set', () => {
  it('makes its provider unavailable and is no mistake: the others serve', () => {
    const catalog = buildCatalog({ providers: { o: { type: 'openai', apiKey: 'env:NOPE' }, p } }, registry, {})
    expect(catalog.providers.get('o')?.unavailable).toBe('NOPE is not set')
    expect(catalog.providers.get('p')?.unavailable).toBeUndefined()
  })

  it('is named after the usual variable where none is', () => {
    const catalog = (env: Environment) => buildCatalog({ providers: { o: { type: 'openai' } } }, registry, env)
    expect(catalog({}).providers.get('o')?.unavailable).toBe('OPENAI_API_KEY is not set')
    expect(catalog({ OPENAI_API_KEY: '' }).providers.get('o')?.unavailable).toBe('OPENAI_API_KEY is not set')
    expect(catalog({ OPENAI_API_KEY: secret }).providers.get('o')).toMatchObject({ settings: { apiKey: secret } })
  })

  it('is a mistake where it would leave the gateway open', () => {
    expect(messageOf(() => build({ providers: { p }, keys: ['env:NOPE'] }))).toContain('keys[0]: NOPE is not set')
    expect(build({ providers: { p }, keys: ['env:KEY'] }, { KEY: 'a', SAMEWIRE_KEY: 'b' }).access).toEqual({
      mode: 'keys',
      keys: [
        { name: 'KEY', secret: 'a' },
        { name: 'SAMEWIRE_KEY', secret: 'b' },
      ],
    })
  })

  it('is not needed where the provider works without', () => {
    const { providers } = buildCatalog({ providers: { o: { type: 'ollama' } } }, registry, {})
    expect(providers.get('o')?.unavailable).toBeUndefined()
  })
})
