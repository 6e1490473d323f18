import { describe, expect, it } from 'vitest'
import { chat, until } from '../support/ask.ts'
import { type Runtime, runtimes, startBoth } from '../support/both.ts'
import { duringTests } from '../support/during-tests.ts'
import { serveUpstreams } from '../support/gateway.ts'
import { chatAnswer, chatFrames, type FakeUpstream, json, type Script, stream } from '../support/upstream.ts'

const type = 'openai-compatible'
/** Answers whole or streamed, as asked, but not as the model `broken`. */
const answering: Script = (request, ...rest) => {
  const { model, stream: streams } = JSON.parse(request.body) as { model: string; stream?: boolean }
  if (model === 'broken') return json(500, { error: { message: 'oops' } })(request, ...rest)
  return (streams ? stream(chatFrames('hello')) : json(200, chatAnswer('hello')))(request, ...rest)
}
const { a, b, c, shadow } = serveUpstreams({ a: answering, b: answering, c: answering, shadow: answering })

const both = duringTests(() => {
  const of = ({ url }: FakeUpstream) => ({ type, baseURL: `${url}/v1` })
  return startBoth('routing', {
    providers: { a: of(a), b: of(b), c: of(c), shadow: of(shadow) },
    models: {
      shuffled: { deployments: ['a/m', 'b/m', 'c/m'] },
      limited: {
        deployments: [
          { model: 'b/m', rpm: 1 },
          { model: 'a/m', order: 2 },
        ],
      },
      failing: { deployments: [{ model: 'c/broken' }, { model: 'a/m', order: 2 }] },
      cheap: {
        deployments: [
          { model: 'a/m', price: { input: 2, output: 2 } },
          { model: 'b/m', price: { input: 1, output: 2 } },
        ],
        routingStrategy: 'cost-based',
      },
      mirrored: { deployments: ['a/m'], shadow: { model: 'shadow/m', percent: 100 } },
    },
    retries: 0,
    cooldown: { allowedFails: 1, cooldownTime: 600, maxCooldownTime: 600 },
  })
})

async function served(runtime: Runtime, model: string, headers: Record<string, string> = {}, more: object = {}) {
  const response = await fetch(`${both.addresses[runtime]}/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${both.key}`, ...headers },
    body: JSON.stringify(chat(model, more)),
  })
  await response.text()
  return response.headers.get('x-samewire-model') ?? String(response.status)
}

async function repeated(times: number, ask: () => Promise<string>): Promise<string[]> {
  const all: string[] = []
  for (let time = 0; time < times; time++) all.push(await ask())
  return all
}

describe.each(runtimes)('A client on %s', (runtime) => {
  it('keeps to one deployment with its session’s header or key, the same for all gateways', async () => {
    const other = runtimes.find((name) => name !== runtime) ?? runtime
    for (const session of ['s-1', 's-2', 's-3']) {
      const all = await repeated(4, () => served(runtime, 'shuffled', { 'x-session-id': session }))
      all.push(await served(other, 'shuffled', { 'x-session-id': session }))
      all.push(await served(runtime, 'shuffled', {}, { prompt_cache_key: session }))
      expect(new Set(all).size).toBe(1)
    }
  })

  it('is answered by the next deployment when one has had its requests of the minute', async () => {
    const [first, ...rest] = await repeated(4, () => served(runtime, 'limited'))
    expect(first).toBe('b/m')
    // Another minute may have begun in between.
    expect(rest.filter((label) => label === 'a/m').length).toBeGreaterThanOrEqual(2)
  })

  it('is not kept waiting by a deployment that failed, whatever its priority', async () => {
    expect(await repeated(3, () => served(runtime, 'failing'))).toEqual(['a/m', 'a/m', 'a/m'])
    expect(c.seen).toHaveLength(1)
  })

  it('is answered by the cheapest deployment', async () => {
    expect(await repeated(3, () => served(runtime, 'cheap'))).toEqual(['b/m', 'b/m', 'b/m'])
  })

  it.each([false, true])('has its request copied to the shadow (streamed: %s)', async (streams) => {
    expect(await served(runtime, 'mirrored', {}, { stream: streams })).toBe('a/m')
    await until(() => shadow.seen.length > 0)
    expect(JSON.parse(shadow.seen[0]?.body ?? '')).toEqual(chat('m', { stream: streams }))
  })
})
