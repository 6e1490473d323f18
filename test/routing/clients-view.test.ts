import { describe, expect, it } from 'vitest'
import type { Config } from '../../src/config/schema.ts'
import { ask, chat, contentOf, noLists, type Reply, until } from '../support/ask.ts'
import { gatewayStarter, ManualClock, type RunningGateway, serveUpstreams } from '../support/gateway.ts'
import { chatAnswer, chatFrames, chunk, type FakeUpstream, json, stream } from '../support/upstream.ts'

const type = 'openai-compatible'
const failing = json(500, { error: { message: 'oops' } })
const names = ['a', 'b', 'c'] as const
type Name = (typeof names)[number]

const answering = (name: Name) => json(200, chatAnswer(name))
const upstreams = serveUpstreams({ a: answering('a'), b: answering('b'), c: answering('c') })
const serve = gatewayStarter()

async function start(models: Config['models'], more: Config = {}, random = () => 0.5, services = noLists) {
  const clock = new ManualClock()
  const providers = Object.fromEntries(names.map((name) => [name, { type, baseURL: `${upstreams[name].url}/v1` }]))
  const config: Config = { providers, models, retries: 0, ...more }
  const gateway = await serve(config, { clock, random, services, env: { HF: 'hf-a' } })
  return { gateway, clock }
}

async function askOften(gateway: RunningGateway, times: number, more: object = {}): Promise<string[]> {
  const all: string[] = []
  for (let time = 0; time < times; time++) all.push(servedBy(await ask(gateway, chat('m', more))))
  return all
}

const servedBy = (reply: Reply) => reply.headers.get('x-samewire-model') ?? `${reply.status} ${reply.text}`

async function askFor(gateway: RunningGateway, session: string): Promise<string> {
  const response = await fetch(`${gateway.baseURL}/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-session-id': session },
    body: JSON.stringify(chat('m')),
  })
  await response.text()
  return response.headers.get('x-samewire-model') ?? String(response.status)
}

describe('Of several deployments', () => {
  it('those of a lower order answer, and the next ones only when they fail', async () => {
    const { gateway } = await start({ m: { deployments: [{ model: 'b/m', order: 2 }, { model: 'a/m' }] } })
    expect(await askOften(gateway, 2)).toEqual(['a/m', 'a/m'])
    upstreams.a.script(failing)
    expect(await askOften(gateway, 1)).toEqual(['b/m'])
  })

  it('the cheapest answers, by the configured price or the provider’s list', async () => {
    upstreams.a.script(
      json(200, { data: [{ id: 'm', pricing: { input: 0.5, output: 0.7 } }] }),
      json(200, chatAnswer('a')),
    )
    upstreams.b.script(
      json(200, { data: [{ id: 'm', pricing: { prompt: '0.0000001', completion: '0.0000004' } }] }),
      json(200, chatAnswer('b')),
    )
    upstreams.c.script(json(200, { data: [{ id: 'm' }] }), json(200, chatAnswer('c')))
    const deployments = ['c/m', 'a/m', { model: 'c/dear', price: { input: 9, output: 9 } }, 'b/m']
    const { gateway } = await start({ m: { deployments } }, { routingStrategy: 'cost-based' }, () => 0.5, {
      fetch: globalThis.fetch,
    })
    expect(await askOften(gateway, 2)).toEqual(['b/m', 'b/m'])
    upstreams.b.script(failing)
    expect(await askOften(gateway, 1)).toEqual(['a/m'])
  })

  it('the cheapest answers, by what the dearest live provider of a Hugging Face model costs', async () => {
    const provider = (status: string, input: number) => ({ status, pricing: { input, output: 1 } })
    const data = [
      { id: 'org/mixed', providers: [provider('live', 0.1), provider('live', 0.9), provider('error', 9)] },
      { id: 'org/even', providers: [provider('live', 0.5), provider('live', 0.6), { status: 'live' }] },
      { id: 'org/untold', providers: [{ status: 'live' }] },
    ]
    upstreams.a.script(json(200, { data }), json(200, chatAnswer('a')))
    const { gateway } = await start(
      { m: { deployments: ['hf/org/untold', 'hf/org/mixed', 'hf/org/even'], routingStrategy: 'cost-based' } },
      { providers: { hf: { type: 'huggingface', baseURL: upstreams.a.url, apiKey: 'env:HF' } } },
      () => 0.5,
      { fetch: globalThis.fetch },
    )
    expect(await askOften(gateway, 2)).toEqual(['hf/org/even', 'hf/org/even'])
  })

  it('the least busy one answers while another still talks', async () => {
    const { gateway } = await start({ m: { deployments: ['a/m', 'b/m'], routingStrategy: 'least-busy' } }, {}, () => 0)
    let finish = () => {}
    upstreams.a.script(
      async (_request, response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' })
        response.write(chunk({ role: 'assistant', content: 'slow' }))
        await new Promise<void>((resolve) => {
          finish = resolve
        })
        response.end([chunk({}, 'stop'), 'data: [DONE]\n\n'].join(''))
      },
      json(200, chatAnswer('a')),
    )
    const talking = await fetch(`${gateway.baseURL}/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(chat('m', { stream: true })),
    })
    expect(await askOften(gateway, 2)).toEqual(['b/m', 'b/m'])
    finish()
    expect(await talking.text()).toContain('[DONE]')
    expect(await askOften(gateway, 1)).toEqual(['a/m'])
  })
})

describe('A deployment with limits', () => {
  it('answers as many requests a minute as it may, then another one does, until the next minute', async () => {
    const { gateway, clock } = await start({
      m: {
        deployments: [
          { model: 'a/m', rpm: 2 },
          { model: 'b/m', order: 2 },
        ],
      },
    })
    expect(await askOften(gateway, 3)).toEqual(['a/m', 'a/m', 'b/m'])
    await clock.advance(60_000)
    expect(await askOften(gateway, 1)).toEqual(['a/m'])
  })

  it.each([
    ['whole answers', { stream: false }, () => json(200, chatAnswer('a'))],
    [
      'streams',
      { stream: true },
      () => {
        const usage = { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 }
        const last = `data: ${JSON.stringify({ choices: [], usage })}\n\n`
        const frames = chatFrames('a')
        return stream([...frames.slice(0, -1), last, ...frames.slice(-1)])
      },
    ],
  ])('answers until its tokens are used up, as told in %s', async (_what, more, script) => {
    const { gateway } = await start({ m: { deployments: [{ model: 'a/m', tpm: 10 }], fallbacks: ['b/m'] } })
    upstreams.a.script(script())
    upstreams.b.script(more.stream ? stream(chatFrames('b')) : json(200, chatAnswer('b')))
    expect(await askOften(gateway, 3, more)).toEqual(['a/m', 'a/m', 'b/m'])
  })

  it('is asked beyond them if there is no other, and no failure is spared to the client', async () => {
    const { gateway } = await start({ m: { deployments: [{ model: 'a/m', rpm: 1 }] } })
    expect(await askOften(gateway, 2)).toEqual(['a/m', 'a/m'])
  })

  it('that is passed over says so in the answer of its fallback', async () => {
    const { gateway } = await start({ m: { deployments: [{ model: 'a/m', rpm: 1 }], fallbacks: ['b/m'] } })
    await askOften(gateway, 1)
    const reply = await ask(gateway, chat('m'))
    expect([servedBy(reply), reply.headers.get('x-samewire-reason')]).toEqual(['b/m', 'over_rpm'])
  })
})

describe('The requests of a session', () => {
  const models: Config['models'] = { m: { deployments: ['a/m', 'b/m', 'c/m'] } }
  /** Runs through [0, 1), so that chance alone would take every deployment. */
  const turning = () => {
    let at = 0
    return () => (at++ * 0.31) % 1
  }

  it('go to one deployment, other sessions to others', async () => {
    const { gateway } = await start(models, {}, turning())
    const all = new Set<string>()
    for (const session of ['one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight']) {
      const served = [await askFor(gateway, session), await askFor(gateway, session), await askFor(gateway, session)]
      expect(new Set(served).size).toBe(1)
      for (const label of served) all.add(label)
    }
    expect(all).toEqual(new Set(['a/m', 'b/m', 'c/m']))
  })

  it('are known by `prompt_cache_key`, and by `user` if the configuration says so', async () => {
    const { gateway } = await start(models, {}, turning())
    expect(new Set(await askOften(gateway, 6, { prompt_cache_key: 'k' })).size).toBe(1)
    expect(new Set(await askOften(gateway, 6, { user: 'u' })).size).toBeGreaterThan(1)
    const { gateway: byUser } = await start(models, { sticky: true }, turning())
    expect(new Set(await askOften(byUser, 6, { user: 'u' })).size).toBe(1)
  })

  it('go elsewhere while their deployment fails, and then come back', async () => {
    const { gateway, clock } = await start(models, { cooldown: { allowedFails: 1 } }, turning())
    const own = await askFor(gateway, 'mine')
    const name = own[0] as Name
    upstreams[name].script(failing)
    const others = [await askFor(gateway, 'mine'), await askFor(gateway, 'mine')]
    expect(others).not.toContain(own)
    expect(new Set(others).size).toBe(1)
    upstreams[name].script(json(200, chatAnswer(name)))
    await clock.advance(6_000)
    expect(await askFor(gateway, 'mine')).toBe(own)
  })
})

describe('A shadow', () => {
  const models: Config['models'] = { m: { deployments: ['a/m'], shadow: { model: 'b/new', percent: 50 } } }
  /** Resolves once `upstream` has seen `count` requests. */
  const seen = async (upstream: FakeUpstream, count: number) => {
    await until(() => upstream.seen.length >= count)
  }
  const logged = async (gateway: RunningGateway, part: RegExp) => {
    await until(() => gateway.logged.some((line) => part.test(line)))
  }

  it.each([
    ['whole', false],
    ['streamed', true],
  ])('gets a copy of a request, and its %s answer is dropped', async (_what, streams) => {
    const { gateway } = await start(models, {}, () => 0.49)
    for (const name of ['a', 'b'] as const)
      upstreams[name].script(streams ? stream(chatFrames(name)) : json(200, chatAnswer(name)))
    const reply = await ask(gateway, chat('m', { stream: streams, temperature: 0.3 }))
    expect(servedBy(reply)).toBe('a/m')
    expect(reply.headers.get('x-samewire-attempts')).toBe('1')
    expect(reply.text).toContain('"a"')
    await seen(upstreams.b, 1)
    expect(JSON.parse(upstreams.b.seen[0]?.body ?? '')).toEqual(chat('new', { stream: streams, temperature: 0.3 }))
    await logged(gateway, /shadow b\/new: ok after \d+ ms$/)
  })

  it('gets its share only, no large request, and none that failed', async () => {
    const { gateway } = await start(models, {}, () => 0.5)
    await ask(gateway, chat('m'))
    const { gateway: lucky } = await start(models, {}, () => 0)
    await ask(lucky, chat('m', { messages: [{ role: 'user', content: 'x'.repeat(1_000_001) }] }))
    upstreams.a.script(failing, json(200, chatAnswer('a')))
    expect((await ask(lucky, chat('m'))).status).toBe(502)
    await ask(lucky, chat('m', { temperature: 0.7 }))
    await seen(upstreams.b, 1)
    expect(upstreams.b.seen.map(({ body }) => JSON.parse(body).temperature)).toEqual([0.7])
  })

  it('that fails is told in the log only, after one attempt', async () => {
    const { gateway } = await start(models, { retries: 3 }, () => 0)
    upstreams.b.script(failing)
    expect(contentOf((await ask(gateway, chat('m'))).text)).toBe('a')
    await logged(gateway, /shadow b\/new: upstream_error after \d+ ms$/)
    expect(gateway.logged).toHaveLength(1)
    expect(upstreams.b.seen).toHaveLength(1)
  })

  it('that hangs delays nobody, is given up, and gets no more copies than it may have in progress', async () => {
    const { gateway, clock } = await start(models, { timeout: 3600, cooldown: false }, () => 0)
    upstreams.b.script(() => {})
    const replies = await Promise.all(Array.from({ length: 25 }, () => ask(gateway, chat('m'))))
    expect(replies.map(({ status }) => status)).toEqual(Array(25).fill(200))
    await seen(upstreams.b, 20)
    await clock.advance(120_000)
    await logged(gateway, /shadow b\/new: upstream_timeout after 120000 ms$/)
    await upstreams.b.seen[0]?.abandoned
    expect(upstreams.b.seen).toHaveLength(20)
  })
})
