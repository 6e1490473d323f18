import { describe, expect, it } from 'vitest'
import { ask as askNode, chat, errorOf, type Reply } from '../support/ask.ts'
import { type Runtime, runtimes, startBoth } from '../support/both.ts'
import { duringTests } from '../support/during-tests.ts'
import { serveUpstreams, startGateway } from '../support/gateway.ts'
import { chatAnswer, type FakeUpstream, json, type Script, silence } from '../support/upstream.ts'

const type = 'openai-compatible'
/** Answers, or not, as the model's name says. */
const answering: Script = (request, ...rest) => {
  // The Worker asks for lists of models.
  if (request.method === 'GET') return json(404, {})(request, ...rest)
  const { model } = JSON.parse(request.body) as { model: string }
  if (model === 'slow') return silence(request, ...rest)
  if (model === 'broken') return json(500, { error: { message: 'oops' } })(request, ...rest)
  if (model === 'refusing')
    return json(400, { error: { message: 'no', code: 'content_policy_violation' } })(request, ...rest)
  return json(200, chatAnswer('hello'))(request, ...rest)
}
const { a, b, router } = serveUpstreams({ a: answering, b: answering, router: answering })

const price = (input: number, output: number) => ({ price: { input, output } })

const both = duringTests(() => {
  const of = ({ url }: FakeUpstream) => ({ type, baseURL: url })
  return startBoth('preferences', {
    providers: { a: of(a), b: of(b), router: { ...of(router), routes: true } },
    models: {
      both: {
        deployments: [
          { model: 'a/m', order: 1, ...price(1, 2) },
          { model: 'b/m', order: 2, ...price(3, 4) },
        ],
      },
      cheaper: {
        deployments: [
          { model: 'a/m', ...price(3, 3) },
          { model: 'b/m', ...price(1, 1) },
        ],
      },
      fixed: { deployments: [{ model: 'b/m', overrides: { temperature: 0 } }] },
      broken: { deployments: ['a/broken'], fallbacks: ['b/m'] },
      refusing: 'a/refusing',
      slow: { deployments: ['a/slow'], timeout: 30, retries: 0 },
      routed: { deployments: ['router/m'], fallbacks: ['a/m'] },
    },
    missing: { unknown: 'error' },
    retries: 0,
    cooldown: false,
  })
})

async function ask(runtime: Runtime, body: unknown, headers: Record<string, string> = {}): Promise<Reply> {
  const response = await fetch(`${both.addresses[runtime]}/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${both.key}`, ...headers },
    body: JSON.stringify(body),
  })
  return { status: response.status, headers: response.headers, text: await response.text() }
}

const served = ({ headers, status }: Reply) => headers.get('x-samewire-model') ?? String(status)
const sentTo = ({ seen }: FakeUpstream) => seen.flatMap(({ body }) => (body ? [JSON.parse(body) as object] : []))

describe.each(runtimes)('A request that names its own fallbacks, on %s', (runtime) => {
  it.each<[string, object]>([
    ['in `models`', chat('broken', { models: ['broken', 'both'] })],
    ['in `models` alone', chat(undefined, { models: ['broken', 'both'] })],
    ['in `fallbacks`', chat('broken', { fallbacks: ['both'] })],
    ['in `fallbacks` as objects', chat('broken', { fallbacks: [{ model: 'both' }] })],
  ])('gets them instead of the configured ones: %s', async (_where, body) => {
    const reply = await ask(runtime, body)
    expect([served(reply), reply.headers.get('x-samewire-attempts')]).toEqual(['a/m', '2'])
    expect(sentTo(a)).toEqual([chat('broken'), chat('m')])
  })

  it('can have them answer with other fields, but not with those that the configuration fixes', async () => {
    const messages = [{ role: 'user', content: 'shorter' }]
    const fallbacks = [{ model: 'fixed', messages, max_tokens: 5, temperature: 1 }]
    expect(served(await ask(runtime, chat('broken', { temperature: 0.5, fallbacks })))).toBe('b/m')
    expect(sentTo(b)).toEqual([{ model: 'm', messages, max_tokens: 5, temperature: 0 }])
  })

  it('has all its other bytes sent on as they are', async () => {
    const rest = '"messages" : [{"role":"user","content":"\\u0068i"}],\n "seed": 12345678901234567890'
    await both.ask(runtime, `{"model":"m1","models":["both"], ${rest}, "provider": {"order":["a"]} }`)
    expect(a.seen.at(-1)?.body).toBe(`{"model":"m",${rest}}`)
  })

  it('keeps long texts in them whole', async () => {
    const messages = [{ role: 'user', content: 'long '.repeat(10_000) }]
    expect((await ask(runtime, chat('broken', { fallbacks: [{ model: 'both', messages }] }))).status).toBe(200)
    expect(sentTo(a)[1]).toEqual({ model: 'm', messages })
  })

  it('is put to them after a refusal too, and if the requested model is unknown', async () => {
    expect(served(await ask(runtime, chat('refusing', { models: ['both'] })))).toBe('a/m')
    expect(served(await ask(runtime, chat('unheard', { models: ['both'] })))).toBe('a/m')
    expect((await ask(runtime, chat('unheard', { models: ['nor-this'] }))).status).toBe(404)
  })

  it('passes over those that are unknown', async () => {
    expect(served(await ask(runtime, chat('broken', { models: ['unheard', 'both'] })))).toBe('a/m')
  })

  it('gets no fallback if it wants none', async () => {
    const reply = await ask(runtime, chat('broken', { disable_fallbacks: true, models: ['both'] }))
    expect([reply.status, errorOf(reply).code]).toEqual([502, 'upstream_error'])
    expect(sentTo(b)).toEqual([])
  })
})

describe.each(runtimes)('A request that chooses among providers, on %s', (runtime) => {
  it.each<[string, string, object, string]>([
    ['the order', 'both', { order: ['b'] }, 'b/m'],
    ['only one', 'both', { only: ['b'] }, 'b/m'],
    ['not one', 'both', { ignore: ['a'] }, 'b/m'],
    ['by their type', 'both', { only: [type] }, 'a/m'],
    ['by price', 'cheaper', { sort: 'price' }, 'b/m'],
    ['by price, as an object', 'cheaper', { sort: { by: 'price' } }, 'b/m'],
    ['below a price', 'cheaper', { max_price: { prompt: 2 } }, 'b/m'],
    ['that are none', 'both', { only: ['c'] }, '404'],
    ['that cost more', 'both', { max_price: { completion: 1 } }, '404'],
  ])('gets its choice: %s', async (_what, model, provider, expected) => {
    expect(served(await ask(runtime, chat(model, { provider })))).toBe(expected)
    for (const sent of [...sentTo(a), ...sentTo(b)]) expect(sent).toEqual(chat('m'))
  })

  it('is told which parameter leaves nothing', async () => {
    const error = errorOf(await ask(runtime, chat('both', { provider: { only: ['c'] } })))
    expect([error.code, error.param]).toEqual(['no_allowed_provider', 'provider'])
  })

  it('gets no other deployment without fallbacks', async () => {
    const models = { models: ['broken'], provider: { allow_fallbacks: false } }
    const reply = await ask(runtime, chat('broken', models))
    expect([reply.status, reply.headers.get('x-samewire-attempts'), sentTo(b)]).toEqual([502, '1', []])
  })

  it('can require that all its fields are supported', async () => {
    const refuses = (field: string) =>
      json(400, { error: { message: `Unsupported parameter: ${field}`, code: 'unsupported_parameter', param: field } })
    const body = chat('both', { store: true })
    a.script(refuses('store'), json(200, chatAnswer('without')))
    expect(served(await ask(runtime, body))).toBe('a/m')
    expect(served(await ask(runtime, { ...body, provider: { require_parameters: true } }))).toBe('b/m')
    expect(sentTo(b)).toEqual([chat('m', { store: true })])
  })
})

describe.each(runtimes)('A request with Vercel’s options, on %s', (runtime) => {
  const wishing = (gateway: unknown, more: object = {}) => ({ providerOptions: { gateway, ...more } })

  it.each<[string, string, object, string]>([
    ['the order', 'both', { order: ['b', 'a'] }, 'b/m'],
    ['only one', 'both', { only: ['b'] }, 'b/m'],
    ['by price', 'cheaper', { sort: 'cost' }, 'b/m'],
    ['other models', 'broken', { models: ['cheaper'], only: ['b'] }, 'b/m'],
    ['that are none', 'both', { only: ['c'] }, '404'],
    [
      'beside what is for reports',
      'both',
      { only: ['b'], user: 'u', tags: ['t'], caching: 'auto', zeroDataRetention: false },
      'b/m',
    ],
  ])('gets its choice, and no provider is told: %s', async (_what, model, gateway, expected) => {
    expect(served(await ask(runtime, chat(model, wishing(gateway))))).toBe(expected)
    for (const sent of [...sentTo(a), ...sentTo(b)]) expect(sent).toEqual(chat('m'))
  })

  it('has those of providers sent on, however long', async () => {
    const mine = { mine: { note: 'x'.repeat(2000), level: 1 } }
    const reply = await ask(runtime, chat('both', wishing({ only: ['b'] }, mine)))
    expect([served(reply), sentTo(b)]).toEqual(['b/m', [chat('m', { providerOptions: mine })]])
    await ask(runtime, chat('both', { providerOptions: mine }))
    expect(sentTo(a)).toEqual([chat('m', { providerOptions: mine })])
  })

  it.each<[string, object, string, string]>([
    ['a demand that can’t be met', wishing({ zeroDataRetention: true }), 'zeroDataRetention', 'unknown_parameter'],
    ['a key of the caller’s', wishing({ byok: { a: [{ apiKey: 'x' }] } }), 'byok', 'unknown_parameter'],
    ['a list that is none', wishing({ only: 'a' }), 'only', 'invalid_type'],
    ['a model that is none', wishing({ models: [1] }), 'models[0]', 'invalid_type'],
    ['a sort', wishing({ sort: 'beauty' }), 'sort', 'invalid_value'],
  ])('is refused by its name for %s', async (_what, more, field, code) => {
    const reply = await ask(runtime, chat('both', more))
    const error = errorOf(reply)
    expect([reply.status, error.param, error.code]).toEqual([400, `providerOptions.gateway.${field}`, code])
    expect(sentTo(a)).toEqual([])
  })

  it('is refused for wishes in two places, and for options that are none', async () => {
    const twice = errorOf(await ask(runtime, chat('both', { ...wishing({ only: ['a'] }), provider: { only: ['b'] } })))
    expect([twice.param, twice.code]).toEqual(['provider', 'invalid_value'])
    const none = errorOf(await ask(runtime, chat('both', wishing('fast'))))
    expect([none.param, none.code]).toEqual(['providerOptions.gateway', 'invalid_type'])
  })

  it('passes to a router as it is, and nowhere else', async () => {
    const wishes = wishing({ zeroDataRetention: true, order: ['q'] })
    expect(served(await ask(runtime, chat('routed', wishes)))).toBe('router/m')
    router.script(json(500, {}))
    expect((await ask(runtime, chat('routed', wishes))).status).toBe(502)
    expect([sentTo(router), sentTo(a)]).toEqual([[chat('m', wishes), chat('m', wishes)], []])
  })
})

describe.each(runtimes)('A request with limits in its headers, on %s', (runtime) => {
  it.each(['x-samewire-timeout', 'x-litellm-timeout'])('is given up in time: %s', async (name) => {
    const reply = await ask(runtime, chat('slow'), { [name]: '0.05' })
    expect([reply.status, errorOf(reply).message]).toEqual([504, 'a/slow did not answer within 0.05 seconds.'])
  })

  it.each(['x-samewire-stream-timeout', 'x-litellm-stream-timeout'])('is given up in time: %s', async (name) => {
    const reply = await ask(runtime, chat('slow', { stream: true }), { [name]: '0.05' })
    expect(errorOf(reply).message).toBe('a/slow did not answer within 0.05 seconds.')
  })

  it.each(['x-samewire-num-retries', 'x-litellm-num-retries'])('is retried as often: %s', async (name) => {
    a.script(json(500, {}), json(200, chatAnswer('again')))
    const reply = await ask(runtime, chat('a/m'), { [name]: '1' })
    expect([reply.status, reply.headers.get('x-samewire-attempts')]).toEqual([200, '2'])
  })
})

describe.each(runtimes)('A wrong preference, on %s', (runtime) => {
  it.each<[string, object, string, string]>([
    ['models', { models: 'both' }, 'models', 'invalid_type'],
    ['a model', { models: [7] }, 'models[0]', 'invalid_type'],
    ['an empty name', { models: [''] }, 'models[0]', 'invalid_value'],
    ['too many', { models: Array(21).fill('both') }, 'models', 'array_above_max_length'],
    ['no model', { fallbacks: [{ seed: 1 }] }, 'fallbacks[0].model', 'missing_required_parameter'],
    ['another stream', { fallbacks: [{ model: 'both', stream: true }] }, 'fallbacks[0].stream', 'invalid_value'],
    ['a field', { fallbacks: [{ model: 'both', n: 'x' }] }, 'fallbacks[0].n', 'invalid_type'],
    ['a flag', { disable_fallbacks: 'yes' }, 'disable_fallbacks', 'invalid_type'],
    ['a provider', { provider: 'a' }, 'provider', 'invalid_type'],
    ['an order', { provider: { order: 'a' } }, 'provider.order', 'invalid_type'],
    ['a sort', { provider: { sort: 'beauty' } }, 'provider.sort', 'invalid_value'],
    ['a price', { provider: { max_price: { prompt: '1' } } }, 'provider.max_price.prompt', 'invalid_type'],
    ['a demand that can’t be met', { provider: { zdr: true } }, 'provider.zdr', 'unknown_parameter'],
  ])('is refused by its name: %s', async (_what, more, param, code) => {
    const reply = await ask(runtime, chat('both', more))
    const error = errorOf(reply)
    expect([reply.status, error.param, error.code]).toEqual([400, param, code])
    expect(sentTo(a)).toEqual([])
  })

  it.each([
    ['x-samewire-timeout', '0'],
    ['x-litellm-timeout', '-1'],
    ['x-samewire-stream-timeout', '1e9'],
    ['x-samewire-num-retries', '11'],
    ['x-litellm-num-retries', '1.5'],
  ])('is refused by its name: %s: %s', async (name, value) => {
    const reply = await ask(runtime, chat('both'), { [name]: value })
    expect([reply.status, errorOf(reply).param]).toEqual([400, name])
  })
})

describe.each(runtimes)('A request to a router, on %s', (runtime) => {
  const wishes = { models: ['x/y', 'x/z'], provider: { order: ['q'], zdr: true }, route: 'fallback' }

  it('passes with its preferences, and a configured fallback gets none of them', async () => {
    expect(served(await ask(runtime, chat('routed', wishes)))).toBe('router/m')
    expect(sentTo(router)).toEqual([chat('m', wishes)])
    router.script(json(500, {}))
    expect(served(await ask(runtime, chat('routed', { ...wishes, provider: undefined })))).toBe('a/m')
    expect(sentTo(a)).toEqual([chat('m', { route: 'fallback' })])
  })

  it('passes too if the router’s model is the first of `models`', async () => {
    expect(served(await ask(runtime, chat(undefined, { models: ['routed', 'x/z'] })))).toBe('router/m')
    expect(sentTo(router)).toEqual([chat('m', { models: ['routed', 'x/z'] })])
  })

  it.each([{ provider: { zdr: true } }, { disable_fallbacks: true }])(
    'goes nowhere else with demands that only the router can keep to: %j',
    async (demands) => {
      router.script(json(500, {}))
      expect((await ask(runtime, chat('routed', demands))).status).toBe(502)
      expect([sentTo(router), sentTo(a)]).toEqual([[chat('m', demands)], []])
    },
  )

  it('is routed here if it names a model that isn’t at the router', async () => {
    router.script(json(500, {}))
    expect(served(await ask(runtime, chat('routed', { models: ['b/m'] })))).toBe('b/m')
    expect(sentTo(router)).toEqual([chat('m')])
  })
})

it('A request with a highest price has the providers asked for theirs first', async () => {
  const [dear, cheap] = [a, b]
  for (const [upstream, input] of [
    [dear, 9],
    [cheap, 1],
  ] as const) {
    upstream.script((request, ...rest) => {
      const list = { data: [{ id: 'm', pricing: { input, output: input } }] }
      return json(200, request.method === 'GET' ? list : chatAnswer('hello'))(request, ...rest)
    })
  }
  const gateway = await startGateway({
    providers: { dear: { type, baseURL: dear.url }, cheap: { type, baseURL: cheap.url } },
    models: { m: { deployments: ['dear/m', { model: 'cheap/m', order: 2 }] } },
  })
  try {
    const reply = await askNode(gateway, chat('m', { provider: { max_price: { prompt: 2, completion: 2 } } }))
    expect(served(reply)).toBe('cheap/m')
  } finally {
    await gateway.close()
  }
})
