import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseMetrics, sumOf } from '../observe/prometheus.ts'
import { chat } from '../support/ask.ts'
import { serveUpstreams } from '../support/gateway.ts'
import { type LiveProgram, startLive } from '../support/live.ts'
import { chatAnswer, json } from '../support/upstream.ts'

const { up } = serveUpstreams({ up: json(200, chatAnswer('hello')) })

const configOf = (more: object = {}) => ({
  providers: { lab: { type: 'openai-compatible', baseURL: up.url } },
  models: { m: 'lab/m' },
  ...more,
})

/** With a connection for each request, so that workers take turns. */
const headers = { 'content-type': 'application/json', connection: 'close' }

async function ask(live: LiveProgram, count: number): Promise<void> {
  for (let n = 0; n < count; n++) {
    const body = JSON.stringify(chat('m'))
    expect((await live.request('/v1/chat/completions', { method: 'POST', headers, body })).status).toBe(200)
  }
}

async function scrape(live: LiveProgram) {
  const { status, text } = await live.request('/metrics', { headers })
  return { status, found: status === 200 ? parseMetrics(text) : new Map() }
}

describe.each([
  ['One process', []],
  ['Two workers', ['--workers', '2']],
])('%s, when the configuration changes,', (_, args) => {
  let live: LiveProgram
  beforeAll(async () => {
    live = await startLive(configOf(), { args })
  })
  afterAll(() => live.close())

  it('begins to count when that is wanted, and stops', async () => {
    await ask(live, 1)
    expect((await scrape(live)).status).toBe(404)
    await live.rewrite(configOf({ metrics: true }))
    await ask(live, 4)
    const { status, found } = await scrape(live)
    expect(status).toBe(200)
    expect(sumOf(found, 'samewire_requests_total', { model: 'm' })).toBe(4)
    await live.rewrite(configOf())
    await ask(live, 2)
    expect((await scrape(live)).status).toBe(404)
  })

  it('goes on where it was when that is wanted again, by other names too', async () => {
    await live.rewrite(configOf({ metrics: { names: 'litellm' } }))
    await ask(live, 2)
    const { found } = await scrape(live)
    expect(sumOf(found, 'samewire_requests_total', { model: 'm' })).toBe(6)
    expect(sumOf(found, 'litellm_proxy_total_requests_metric_total', { requested_model: 'm' })).toBe(2)
    expect([...found.keys()].filter((name) => name.startsWith('gen_ai'))).toEqual([])
    await live.rewrite(configOf({ metrics: true }))
    await ask(live, 1)
    const again = await scrape(live)
    expect(sumOf(again.found, 'gen_ai_server_request_duration_seconds_count')).toBe(5)
    expect([...again.found.keys()].filter((name) => name.startsWith('litellm'))).toEqual([])
  })

  it('tells which configuration is in force before a request comes', async () => {
    const { hash } = await live.rewrite(configOf({ metrics: true, retries: 1 }))
    const { found } = await scrape(live)
    const processes = sumOf(found, 'samewire_processes')
    expect(sumOf(found, 'samewire_config_info', { hash })).toBe(processes)
    expect(sumOf(found, 'samewire_config_info')).toBe(processes)
  })

  it('counts what came of each change', async () => {
    const results = async () => {
      const { found } = await scrape(live)
      return ['applied', 'kept', 'rolled_back', 'unchanged'].map((result) =>
        sumOf(found, 'samewire_config_reloads_total', { result }),
      )
    }
    const [applied = 0, kept = 0, back = 0, unchanged = 0] = await results()
    expect([applied, kept, back, unchanged]).toEqual([5, 0, 0, 0])
    await live.rewrite('{"timeout": -1}')
    expect(await results()).toEqual([5, 1, 0, 0])
    await live.rewrite(configOf({ metrics: true, retries: 2 }))
    await live.request('/admin/config/reload', { method: 'POST', headers, body: '{}' })
    await live.request('/admin/config/rollback', { method: 'POST', headers, body: '{}' })
    expect(await results()).toEqual([6, 1, 1, 1])
  })
})
