import { describe, expect, it } from 'vitest'
import type { RequestReport } from '../../src/core/report.ts'
import { ask, chat, noLists } from '../support/ask.ts'
import { gatewayStarter, serveUpstreams } from '../support/gateway.ts'
import { chatAnswer, chatFrames, json, stream } from '../support/upstream.ts'

const usage = { prompt_tokens: 1000, completion_tokens: 500, total_tokens: 1500 }
const answer = json(200, { ...chatAnswer('hello'), usage })
const { up } = serveUpstreams({ up: answer })
const serve = gatewayStarter()

async function start() {
  const reports: RequestReport[] = []
  let began = 0
  const observer = { began: () => void began++, over: (report: RequestReport) => void reports.push(report) }
  const config = {
    providers: { up: { type: 'openai-compatible', baseURL: up.url } },
    models: { priced: { deployments: [{ model: 'up/m', price: { input: 2, output: 10 } }] } },
    keys: ['env:TEAM_KEY'],
  }
  const env = { TEAM_KEY: 'the-key-of-the-team' }
  const gateway = await serve(config, { services: { ...noLists, observer }, env })
  const headers = { authorization: `Bearer ${env.TEAM_KEY}` }
  return { reports, gateway, headers, began: () => began, secret: env.TEAM_KEY }
}

describe('The report of a request', () => {
  it('tells who asked for what, who answered, its tokens and what they cost', async () => {
    const { reports, gateway, headers, began } = await start()
    await ask(gateway, chat('priced', { user: 'user-7' }), { headers })
    expect(began()).toBe(1)
    expect(reports).toMatchObject([
      {
        ...{ method: 'POST', path: '/chat/completions', operation: 'chat', model: 'priced', key: 'TEAM_KEY' },
        ...{ user: 'user-7', status: 200, streams: false, outcome: 'done', failure: undefined },
        served: { label: 'up/m' },
        tokens: { input: 1000, output: 500, cached: 0, reasoning: 0 },
        // Nano-dollars.
        ...{ cost: 7_000_000, priceSource: 'configured' },
      },
    ])
    expect(reports[0]?.bytesIn).toBeGreaterThan(20)
  })

  it('tells the same of a stream, at its end', async () => {
    const { reports, gateway, headers } = await start()
    const last = JSON.stringify({ ...chatAnswer('x'), object: 'chat.completion.chunk', choices: [], usage })
    up.script(stream([...chatFrames('hello').slice(0, -1), `data: ${last}\n\n`, 'data: [DONE]\n\n']))
    await ask(gateway, chat('priced', { stream: true, stream_options: { include_usage: true } }), { headers })
    // Of two choices its upstream forgets one, which is had by a second request.
    await ask(gateway, chat('priced', { stream: true, n: 2 }), { headers })
    expect(reports).toMatchObject([
      { streams: true, outcome: 'done', tokens: { input: 1000, output: 500 } },
      { streams: true, outcome: 'done', tokens: { input: 2000, output: 1000 } },
    ])
    expect(reports[0]?.cost).toBe(7_000_000)
    expect(reports[0]?.firstMs).toBeLessThanOrEqual(reports[0]?.ms ?? 0)
  })

  it('is made of refusals and of look-ups too', async () => {
    const { reports, gateway, headers } = await start()
    await ask(gateway, chat('priced'))
    await fetch(`${gateway.baseURL}/models`, { headers })
    expect(reports).toMatchObject([
      { status: 401, outcome: 'failed', key: undefined, operation: undefined, tokens: undefined },
      { status: 200, outcome: 'done', method: 'GET', path: '/models', key: 'TEAM_KEY' },
    ])
  })

  it('is not made of a check of health', async () => {
    const { reports, began, gateway } = await start()
    expect((await fetch(`http://127.0.0.1:${gateway.port}/health`)).status).toBe(200)
    expect([reports, began()]).toEqual([[], 0])
  })
})
