import { describe, expect, it } from 'vitest'
import { registry } from '../../providers/index.ts'
import { buildCatalog } from '../../src/config/catalog.ts'
import { ConfigError } from '../../src/config/problems.ts'

const p = { type: 'openai-compatible', baseURL: 'http://p.test' }
const providers = { p }

/** What the user reads, without the first line. */
function problemsOf(config: unknown, env = {}): readonly string[] {
  try {
    buildCatalog(config, registry, env, 'my.yaml')
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    expect(error.message.split('\n')[0]).toBe("my.yaml can't be used:")
    expect(error.message).toContain(error.problems[0] as string)
    return error.problems
  }
  return []
}

describe('A mistake in the configuration is told with its place, what was found and what is allowed', () => {
  it.each<[string, unknown, string]>([
    [
      'a key misspelt at the top',
      { provider: {} },
      'provider: no such key; did you mean "providers"?; allowed: providers, models,',
    ],
    ['a key that is like none', { wibblewobble: 1 }, 'wibblewobble: no such key; allowed: providers, models,'],
    [
      'a key misspelt in a model',
      { providers, models: { m: { deployments: ['p/x'], fallback: ['p/y'] } } },
      'models.m.fallback: no such key; did you mean "fallbacks"?; allowed: deployments, fallbacks,',
    ],
    [
      'a key misspelt in a deployment',
      { providers, models: { 'gpt-3.5': { deployments: [{ model: 'p/x', wieght: 2 }] } } },
      'models["gpt-3.5"].deployments[0].wieght: no such key; did you mean "weight"?; allowed: model, weight,',
    ],
    [
      'a capability misspelt',
      { providers, models: { m: { deployments: [{ model: 'p/x', supports: { tool: false } }] } } },
      'models.m.deployments[0].supports.tool: no such key; did you mean "tools"?; allowed: tools, vision, audio, schema, dimensions, logprobs',
    ],
    [
      'a routing strategy misspelt',
      { providers, routingStrategy: 'cheapest' },
      'routingStrategy: found "cheapest"; allowed: "simple-shuffle", "least-busy", "latency-based", "cost-based", "usage-based"',
    ],
    [
      'a shadow of no model',
      { providers, models: { m: { deployments: ['p/x'], shadow: { model: 'q/x', percent: 5 } } } },
      'models.m.shadow.model: found "q/x", which is neither a model here nor provider/model',
    ],
    [
      'a shadow of more than all requests',
      { providers, models: { m: { deployments: ['p/x'], shadow: { model: 'p/y', percent: 101 } } } },
      'models.m.shadow.percent: found 101; allowed: a number above 0, up to 100',
    ],
    [
      'a price of one side only',
      { providers, models: { m: { deployments: [{ model: 'p/x', price: { input: 1 } }] } } },
      'models.m.deployments[0].price: the key "output" is missing',
    ],
    [
      'a part of a price misspelt',
      { providers, models: { m: { deployments: [{ model: 'p/x', price: { input: 1, output: 1, cached: 1 } }] } } },
      'models.m.deployments[0].price.cached: no such key',
    ],
    [
      'a tier that begins nowhere',
      {
        providers,
        models: {
          m: { deployments: [{ model: 'p/x', price: { input: 1, output: 1, tiers: [{ input: 2, output: 2 }] } }] },
        },
      },
      'models.m.deployments[0].price.tiers[0]: the key "above" is missing',
    ],
    [
      'a service tier at a price of one side',
      {
        providers,
        models: {
          m: { deployments: [{ model: 'p/x', price: { input: 1, output: 1, serviceTiers: { flex: { input: 1 } } } }] },
        },
      },
      'models.m.deployments[0].price.serviceTiers.flex: the key "output" is missing',
    ],
    [
      'a price below nothing',
      { providers, models: { m: { deployments: [{ model: 'p/x', price: { input: 1, output: 1, image: -1 } }] } } },
      'models.m.deployments[0].price.image: found -1; allowed: a number of dollars from 0',
    ],
    [
      'a limit of no requests',
      { providers, models: { m: { deployments: [{ model: 'p/x', rpm: 0 }] } } },
      'models.m.deployments[0].rpm: found 0; allowed: a whole number from 1',
    ],
    [
      'a provider’s key misspelt',
      { providers: { p: { ...p, apikey: 'env:X' } } },
      'providers.p.apikey: no such key; did you mean "apiKey"?; allowed: type, apiKey, baseURL, headers',
    ],
    [
      'a setting of another provider',
      { providers: { p: { ...p, endpointUrl: 'http://x' } } },
      'providers.p.endpointUrl: no such key; allowed: type, apiKey, baseURL, headers',
    ],
    [
      'a setting’s word misspelt',
      { providers: { hf: { type: 'huggingface', engine: 'vlm' } } },
      'providers.hf.engine: found "vlm"; did you mean "vllm"?; allowed: tgi, tei, vllm, llamacpp, transformers',
    ],
    [
      'a provider’s type misspelt',
      { providers: { o: { type: 'olama' } } },
      'providers.o.type: found "olama", which is no provider; did you mean "ollama"?; allowed: openai, anthropic, huggingface,',
    ],
    [
      'a type that every object has',
      { providers: { o: { type: 'constructor' } } },
      'providers.o.type: found "constructor"',
    ],
    [
      'a secret in a header',
      { providers: { p: { ...p, headers: { Authorization: 'Bearer sk-written-down' } } } },
      'providers.p.headers.Authorization: a secret is named, never written; allowed: "env:NAME"',
    ],
    ['no type', { providers: { o: {} } }, 'providers.o: the key "type" is missing'],
    ['no deployments', { providers, models: { m: {} } }, 'models.m: the key "deployments" is missing'],
    [
      'an empty list of deployments',
      { providers, models: { m: { deployments: [] } } },
      'models.m.deployments: found []; allowed: at least one',
    ],
    ['a number for text', { providers, fallback: 5 }, 'fallback: found 5; allowed: '],
    ['text for a number', { providers, timeout: '30' }, 'timeout: found "30"; allowed: a number of seconds'],
    ['a time of nothing', { providers, timeout: 0 }, 'timeout: found 0; allowed: a number of seconds above 0'],
    [
      'a time that no timer can count',
      { providers, models: { m: { deployments: ['p/x'], idleTimeout: 1e7 } } },
      'models.m.idleTimeout: found 10000000; allowed: a number of seconds up to 2,000,000',
    ],
    [
      'a time without an end',
      { providers, keepAlive: Number.POSITIVE_INFINITY },
      'keepAlive: found Infinity; allowed: a number of seconds up to 2,000,000',
    ],
    [
      'a time that is no number',
      { providers, timeout: Number.NaN },
      'timeout: found NaN; allowed: a number of seconds',
    ],
    [
      'a time that JSON has no word for',
      { providers, timeout: 10n },
      'timeout: found 10n; allowed: a number of seconds',
    ],
    [
      'an object that JSON has no word for',
      { providers, timeout: { seconds: 10n } },
      'timeout: found {"seconds":"10n"}; allowed: a number of seconds',
    ],
    [
      'a weight that can’t be added to others',
      { providers, models: { m: { deployments: [{ model: 'p/x', weight: 1e308 }] } } },
      'models.m.deployments[0].weight: found 1e+308; allowed: a number up to 1,000,000',
    ],
    [
      'a parameter that JSON can’t carry',
      { providers, models: { m: { deployments: [{ model: 'p/x', params: { seed: 7n, top_p: undefined } }] } } },
      'models.m.deployments[0].params.seed: found 7n; allowed: a value that JSON can carry',
    ],
    [
      'a setting that no header can carry',
      { providers: { o: { type: 'openai', organization: 'org→' } } },
      'providers.o.organization: it holds a character beyond Latin-1, which no header can carry',
    ],
    ['a negative count', { providers, retries: -1 }, 'retries: found -1; allowed: a whole number from 0'],
    ['half a retry', { providers, retries: 1.5 }, 'retries: found 1.5; allowed: a whole number'],
    ['more retries than help', { providers, retries: 21 }, 'retries: found 21; allowed: a whole number up to 20'],
    [
      'retries without an end, for one model',
      { providers, models: { m: { deployments: ['p/x'], retries: Number.MAX_SAFE_INTEGER } } },
      'models.m.retries: found 9007199254740991; allowed: a whole number up to 20',
    ],
    [
      'a list of providers',
      { providers: [p] },
      'providers: found [{"type":"openai-compatible","baseURL":"http://p.test"}]; allowed: names with',
    ],
    [
      'a list of models',
      { providers, models: ['p/x'] },
      'models: found ["p/x"]; allowed: names with what they stand for, not a list',
    ],
    ['a number for a model', { providers, models: { m: 5 } }, 'models.m: found 5; allowed: a name or an object'],
    ['no object at all', 'hello', '(top level): found "hello"; allowed: '],
    [
      'a kind of missing misspelt',
      { providers, missing: { not_puled: 'pull' } },
      'missing.not_puled: no such key; did you mean "not_pulled"?; allowed: absent, unknown, not_found,',
    ],
    [
      'a policy misspelt',
      { providers, missing: { unknown: 'falback' } },
      'missing.unknown: found "falback"; allowed: "fallback", "error"',
    ],
    [
      'a policy that this kind can’t have',
      { providers, missing: { unknown: 'pull' } },
      'missing.unknown: found "pull"; allowed: "fallback", "error"',
    ],
    [
      'a policy misspelt where there are three',
      { providers, missing: { not_pulled: 'pul' } },
      'missing.not_pulled: found "pul"; allowed: "fallback", "error"',
    ],
    [
      'a policy with a key too many',
      { providers, missing: { not_pulled: { pull: ['x'], pul: ['x'] } } },
      'missing.not_pulled.pul: no such key; did you mean "pull"?; allowed: pull',
    ],
    [
      'models to pull that are no list',
      { providers, missing: { not_pulled: { pull: 'llama3*' } } },
      'missing.not_pulled.pull: found "llama3*"; allowed: ',
    ],
    [
      'a slash in a provider’s name',
      { providers: { 'a/b': p } },
      'providers["a/b"]: a provider\'s name holds no slash',
    ],
    [
      'an address that is none',
      { providers: { p: { ...p, baseURL: 'ftp://x' } } },
      'providers.p.baseURL: found "ftp://x"; allowed: an http',
    ],
  ])('%s', (_what, config, expected) => {
    expect(problemsOf(config)).toEqual([expect.stringContaining(expected)])
  })

  it('all of them at once, so that nobody has to start ten times', () => {
    const found = problemsOf({
      providers,
      models: { a: 'q/x', b: { deployments: ['q/y'], fallbacks: ['nope'] } },
      fallback: 'no',
    })
    expect(found).toHaveLength(4)
  })
})

describe('A header that HTTP sets itself is told with its place', () => {
  // The names that undici's documentation calls managed by the protocol, with their kin from RFC 9110.
  it.each([
    ...[
      'Content-Length',
      'transfer-encoding',
      'Expect',
      'host',
      'Connection',
      'upgrade',
      'TE',
      'trailer',
      'Keep-Alive',
    ],
    ...['proxy-connection', 'http2-settings', 'content-encoding'],
  ])('%s', (name) => {
    const [line, ...more] = problemsOf({ providers: { p: { ...p, headers: { 'x-team': 'a', [name]: '5' } } } })
    expect(line).toMatch(/^providers\.p\.headers(\.\w+|\["[\w-]+"\]): HTTP sets this header itself; allowed: /)
    expect(line).toContain(name)
    expect(more).toEqual([])
  })

  it('and so is the one by which the gateway finds loops', () => {
    expect(problemsOf({ providers: { p: { ...p, headers: { 'X-Samewire-Hops': '0' } } } })).toEqual([
      expect.stringContaining('providers.p.headers["X-Samewire-Hops"]: the gateway sets this header itself'),
    ])
  })

  it('and so is a second one whose name differs only in case', () => {
    const headers = { 'X-Team': 'a', 'x-team': 'b', 'x-other': 'c', 'X-TEAM': 'env:TEAM' }
    expect(problemsOf({ providers: { p: { ...p, headers } } }, { TEAM: 'd' })).toEqual(
      ['x-team', 'X-TEAM'].map((name) => {
        return `providers.p.headers["${name}"]: there is a header of this name in another case; allowed: one of them`
      }),
    )
  })

  it.each(['content-type', 'accept', 'accept-encoding', 'user-agent', 'x-host', 'x-connection-id', 'forwarded'])(
    'but not %s',
    (name) => {
      expect(problemsOf({ providers: { p: { ...p, headers: { [name]: 'application/json' } } } })).toEqual([])
    },
  )
})

describe('The most retries', () => {
  it.each([0, 10, 20])('may be %d', (retries) => {
    expect(problemsOf({ providers, retries, models: { m: { deployments: ['p/x'], retries } } })).toEqual([])
  })
})

describe('A setting in letters of another script', () => {
  it('is no mistake in an address', () => {
    const endpoint = { type: 'huggingface', endpointUrl: 'https://модель.example' }
    expect(problemsOf({ providers: { endpoint } }, { HF_TOKEN: 'x' })).toEqual([])
  })
})

describe('The longest time', () => {
  it.each(['connectTimeout', 'timeout', 'streamTimeout', 'idleTimeout', 'keepAlive', 'writeTimeout'])(
    'is the same for %s',
    (key) => {
      expect(problemsOf({ providers, [key]: 2_000_000 })).toEqual([])
      expect(problemsOf({ providers, [key]: 2_000_001 })).toHaveLength(1)
    },
  )
})

describe('All mistakes are told at once', () => {
  /** The places of the mistakes, as they are told. */
  const placesOf = (config: unknown, env = {}) => problemsOf(config, env).map((line) => /^.*?(?=: )/.exec(line)?.[0])

  it('those of shape beside those of meaning, sorted by their place', () => {
    const lines = problemsOf(
      {
        timeout: 'x',
        providers: {
          p: { ...p, apikey: 'x', apiKey: 'env:KEY', baseURL: 'ftp://x' },
          q: { type: 'olama' },
          r: 5,
          s: {},
        },
        models: {
          z: 'nope/x',
          list: {
            deployments: ['p/0', 5, 'p/2', 'nope/3', { model: 'p/4', wieght: 2, wait: 1 }],
            fallbacks: [7, 'gone', 'a'],
          },
          a: { deployments: ['p/x'], fallbacks: ['list'] },
          b: { retries: 1 },
          c: 'c',
          star: 'p/*',
        },
        fallback: 'none',
        nonsense: 1,
        absurd: 2,
      },
      { KEY: 'sk-\u0000-MARKER' },
    )
    expect(lines.map((line) => line.split(/[;,] /)[0])).toEqual([
      'absurd: no such key',
      'fallback: found "none"',
      'models.b: the key "deployments" is missing',
      'models.c: an alias of itself (c → c)',
      'models.list.deployments[1]: found 5',
      'models.list.deployments[3]: found "nope/3"',
      'models.list.deployments[4].wait: no such key',
      'models.list.deployments[4].wieght: no such key',
      'models.list.fallbacks: the fallbacks go in a circle (list → a → list)',
      'models.list.fallbacks[0]: found 7',
      'models.list.fallbacks[1]: found "gone"',
      'models.star: found "p/*"',
      'models.z: found "nope/x"',
      'nonsense: no such key',
      'providers.p.apiKey: KEY holds a control character',
      'providers.p.apikey: no such key',
      'providers.p.baseURL: found "ftp://x"',
      'providers.q.type: found "olama"',
      'providers.r: found 5',
      'providers.s: the key "type" is missing',
      'timeout: found "x"',
    ])
    expect(lines.join()).not.toContain('MARKER')
  })

  it('ten of a list in the order of the list', () => {
    const deployments = Array.from({ length: 11 }, (_, index) => `q/${index}`)
    const places = deployments.map((_, index) => `models.m.deployments[${index}]`)
    expect(placesOf({ providers, models: { m: { deployments } } })).toEqual(places)
  })

  it.each<[string, object, string[]]>([
    ['a provider whose type is none', { providers: { q: { type: 'olama' } }, fallback: 'q/x' }, ['providers.q.type']],
    ['a provider that is none', { providers: { q: 5 }, models: { m: { deployments: ['q/x'] } } }, ['providers.q']],
    ['providers that are none', { providers: [p], models: { m: 'p/x' }, fallback: 'm' }, ['providers']],
    ['models that are none', { providers, models: ['p/x'], fallback: 'm' }, ['models']],
    ['a model that is none', { providers, models: { m: 5 }, fallback: 'm' }, ['models.m']],
    ['an alias of nothing', { providers, models: { m: 'no' }, fallback: 'm' }, ['models.m']],
    ['an alias of itself', { providers, models: { a: 'b', b: 'a', c: 'a' }, fallback: 'c' }, ['models.a']],
    ['an address that is none', { providers: { p: { ...p, baseURL: 5 } }, fallback: 'p/x' }, ['providers.p.baseURL']],
  ])('but each once, and not again where it is used: %s', (_what, config, expected) => {
    expect(placesOf(config)).toEqual(expected)
  })

  it('each on its line, whatever its names hold', () => {
    const evil = 'a\n\u001b[2J\u007f\u009b\u2028\u202e'
    const [line = ''] = problemsOf({ providers, fallback: evil })
    expect(line).toContain('fallback: found "a\\n\\u001b[2J\\u007f\\u009b\\u2028\\u202e"')
    expect(new ConfigError([evil], evil).message).toBe(
      "a\\n\\u001b[2J\\u007f\\u009b\\u2028\\u202e can't be used:\n  a\\n\\u001b[2J\\u007f\\u009b\\u2028\\u202e",
    )
  })

  it('without a change to what was given', () => {
    const config = { providers, models: { m: 5, n: { deployments: [1, 'p/x'] } }, nonsense: 1 }
    const before = structuredClone(config)
    expect(problemsOf(config)).toHaveLength(3)
    expect(config).toEqual(before)
  })
})

describe('A star that nothing fills is told with its place', () => {
  it.each<[string, object, string]>([
    ['a name without one', { models: { m: 'p/*' } }, 'models.m: found "p/*"; a * needs one in the name'],
    [
      'a deployment of such a name',
      { models: { m: { deployments: ['p/x', 'p/y-*'] } } },
      'models.m.deployments[1]: found "p/y-*"; a * needs one in the name',
    ],
    ['an alias of a pattern', { models: { 'a-*': 'p/*', m: 'a-*' } }, 'models.m: found "p/*"; a * needs one'],
    ['two stars', { models: { 'a-*-*': 'p/*-*' } }, 'models["a-*-*"]: found "p/*-*"; only one * is filled'],
    ['the fallback', { fallback: 'p/*' }, 'fallback: found "p/*"; a * needs one in the name'],
    [
      'a fallback of a pattern',
      { models: { 'a-*': { deployments: ['p/*'], fallbacks: ['p/b-*'] } } },
      'models["a-*"].fallbacks[0]: found "p/b-*"; a * needs one in the name',
    ],
  ])('%s', (_what, config, expected) => {
    expect(problemsOf({ providers, ...config })).toEqual([expect.stringContaining(expected)])
  })

  it('but not one in an alias of a pattern that leads to one model', () => {
    expect(problemsOf({ providers, models: { 'a-*': 'p/x', m: 'a-*', 'b-*': 'a-*' }, fallback: 'a-1' })).toEqual([])
  })
})

describe('A name that leads nowhere is told with its place and what there is', () => {
  it.each<[string, object, string]>([
    [
      'a deployment',
      { models: { m: { deployments: ['q/x'] } } },
      'models.m.deployments[0]: found "q/x", which is neither a model here nor provider/model',
    ],
    [
      'a deployment as an object',
      { models: { m: { deployments: [{ model: 'q/x' }] } } },
      'models.m.deployments[0].model: found "q/x"',
    ],
    [
      'a deployment that is a model',
      { models: { a: 'p/x', m: { deployments: ['a'] } } },
      'models.m.deployments[0]: found "a"',
    ],
    [
      'an alias',
      { models: { mine: 'p/x', other: 'mien' } },
      'models.other: found "mien", which is neither a model here nor provider/model; did you mean "mine"?; allowed: mine, other, p/…',
    ],
    [
      'a fallback of a model',
      { models: { m: { deployments: ['p/x'], fallbacks: ['p/y', 'nope'] } } },
      'models.m.fallbacks[1]: found "nope"',
    ],
    [
      'the fallback',
      { fallback: 'nope' },
      'fallback: found "nope", which is neither a model here nor provider/model; allowed: p/…',
    ],
    ['nothing behind the slash', { fallback: 'p/' }, 'fallback: found "p/"'],
    [
      'a name that every object has',
      { models: { m: { deployments: ['p/x'], fallbacks: ['constructor'] } } },
      'models.m.fallbacks[0]: found "constructor"',
    ],
  ])('%s', (_what, config, expected) => {
    expect(problemsOf({ providers, ...config })).toEqual([expect.stringContaining(expected)])
  })

  it('even where nothing is configured', () => {
    expect(problemsOf({ providers: {}, fallback: 'x' })[0]).toContain(
      'allowed: nothing, since neither models nor providers',
    )
  })

  it('but not one that a pattern answers to', () => {
    expect(problemsOf({ providers, models: { 'gpt-*': 'p/*' }, fallback: 'gpt-4' })).toEqual([])
  })
})

describe('A circle is told with its way', () => {
  const own = (...fallbacks: string[]) => ({ deployments: ['p/x'], fallbacks })

  it.each<[string, object, string]>([
    ['of aliases', { a: 'b', b: 'c', c: 'a' }, 'an alias of itself (a → b → c → a)'],
    ['of one alias', { a: 'a' }, 'an alias of itself (a → a)'],
    ['of fallbacks', { a: own('b'), b: own('c'), c: own('a') }, 'the fallbacks go in a circle (a → b → c → a)'],
    ['of one fallback', { a: own('a') }, 'the fallbacks go in a circle (a → a)'],
    ['of fallbacks through an alias', { a: own('b'), b: 'a' }, 'the fallbacks go in a circle (a → b → a)'],
    [
      'behind a model that is in none',
      { x: own('a'), a: own('b'), b: own('a') },
      'the fallbacks go in a circle (a → b → a)',
    ],
  ])('%s', (_what, models, expected) => {
    expect(problemsOf({ providers, models }).join('\n')).toContain(expected)
  })

  it('but two ways to one fallback are none', () => {
    expect(problemsOf({ providers, models: { a: own('b', 'c'), b: own('d'), c: own('d'), d: own() } })).toEqual([])
  })
})
