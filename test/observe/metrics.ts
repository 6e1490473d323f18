import type { Config } from '../../src/config/schema.ts'
import { systemClock } from '../../src/core/clock.ts'
import type { KeptFigures } from '../../src/observe/metrics/kept.ts'
import { createMetrics, type Metrics } from '../../src/observe/metrics/metrics.ts'
import type { NameSet } from '../../src/observe/metrics/settings.ts'
import { ask, chat, noLists, open } from '../support/ask.ts'
import type { GatewayOptions, RunningGateway, startGateway } from '../support/gateway.ts'
import { chatAnswer, chatFrames, type FakeUpstream, json, stream } from '../support/upstream.ts'

export const env = {
  PROVIDER_KEY: 'sk-provider-0123456789',
  TEAM_KEY: 'the-key-of-the-team',
  SAMEWIRE_ADMIN_KEY: 'sesame-0123456789',
}
export const headers = { authorization: `Bearer ${env.TEAM_KEY}` }

interface Counting {
  /** Those that a scrape tells. */
  readonly names?: NameSet | 'none'
  readonly latest?: boolean
  /** Whether a collector is told. */
  readonly exported?: boolean
  readonly kept?: () => KeptFigures | undefined
}

export interface Counted {
  readonly gateway: RunningGateway
  readonly gather: Metrics['gather']
  /** The text of a scrape. */
  scrape(accept?: string): Promise<string>
}

/** Starts a gateway that counts, with the model `m` of `up`, which falls back to `spare`. */
export async function startCounted(
  serve: typeof startGateway,
  { up, spare }: { readonly up: FakeUpstream; readonly spare: FakeUpstream },
  { names = 'gen_ai', latest = false, exported, kept }: Counting = {},
  more: Config = {},
  beside: Pick<GatewayOptions, 'accounting' | 'state'> = {},
): Promise<Counted> {
  const type = 'openai-compatible'
  const config = {
    providers: { up: { type, baseURL: up.url, apiKey: 'env:PROVIDER_KEY' }, spare: { type, baseURL: spare.url } },
    models: {
      m: { deployments: [{ model: 'up/m', price: { input: 1, output: 2 } }], fallbacks: ['spare/m'] },
      'any-*': 'up/m',
    },
    keys: ['env:TEAM_KEY'],
    retries: 0,
    metrics: names !== 'none' && { names },
    ...more,
  }
  const metrics = createMetrics({ clock: systemClock, latest, exported, kept })
  const gateway = await serve(config, { services: noLists, env, metrics, ...beside })
  return {
    gateway,
    gather: metrics.gather,
    async scrape(accept) {
      const authorization = `Bearer ${env.SAMEWIRE_ADMIN_KEY}`
      const response = await fetch(`http://127.0.0.1:${gateway.port}/metrics`, {
        headers: { authorization, ...(accept && { accept }) },
      })
      if (!response.ok) throw new Error(`${response.status} ${await response.text()}`)
      return await response.text()
    },
  }
}

/** Requests that succeed, fail, fall back, stream, are cut and are left by their client. */
export async function runScript({ gateway, scrape }: Counted, up: FakeUpstream, spare: FakeUpstream): Promise<void> {
  const usage = { prompt_tokens: 3, completion_tokens: 2, prompt_tokens_details: { cached_tokens: 1 } }
  const last = `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', choices: [], usage })}\n\n`
  const told = stream([...chatFrames('hello', ' there').slice(0, -1), last, 'data: [DONE]\n\n'])
  const down = json(500, { error: { message: 'oops' } })
  up.script(json(200, chatAnswer('hello')))
  await ask(gateway, chat('m'), { headers })
  up.script(told)
  await ask(gateway, chat('m', { stream: true, stream_options: { include_usage: true } }), { headers })
  up.script(down)
  await ask(gateway, chat('m'), { headers })
  spare.script(down)
  await ask(gateway, chat('m'), { headers })
  spare.script(json(200, chatAnswer('spare')))
  up.script(stream(chatFrames('hello').slice(0, 2)))
  await ask(gateway, chat('m', { stream: true }), { headers })
  up.script(stream(chatFrames('hello').slice(0, 2), 'silence'))
  const leave = new AbortController()
  const response = await open(gateway, chat('m', { stream: true }), { headers, signal: leave.signal })
  await response.body?.getReader().read()
  leave.abort()
  let text = ''
  while (!text.includes('outcome="gone"')) text = await scrape()
  up.script(json(200, chatAnswer('hello')))
  await ask(gateway, chat('invented-by-a-client'), { headers })
  await ask(gateway, chat('any-thing'), { headers })
  await ask(gateway, chat('m'))
  await fetch(`${gateway.baseURL}/models`, { headers })
}
