import { describe, expect, it } from 'vitest'
import { ask, chat, errorOf, open } from '../support/ask.ts'
import { gatewayStarter, serveUpstreams } from '../support/gateway.ts'
import { chatAnswer, chatFrames, json, stream } from '../support/upstream.ts'
import { env, headers, runScript, startCounted } from './metrics.ts'
import { parseMetrics, sumOf } from './prometheus.ts'

const { up, spare } = serveUpstreams({ up: json(200, chatAnswer('hello')), spare: json(200, chatAnswer('spare')) })
const serve = gatewayStarter()

describe('The metrics', () => {
  it('tell of requests by path, model, status and end, and of tokens and their price', async () => {
    const counted = await startCounted(serve, { up, spare })
    await runScript(counted, up, spare)
    const found = parseMetrics(await counted.scrape())
    const requests = (labels: Record<string, string>) => sumOf(found, 'samewire_requests_total', labels)
    const chats = { path: '/chat/completions', model: 'm' }
    // One whole, one streamed, one by the fallback.
    expect(requests({ ...chats, status: '200', outcome: 'done' })).toBe(3)
    expect(requests({ ...chats, status: '502', outcome: 'failed' })).toBe(1)
    expect(requests({ ...chats, outcome: 'cut' })).toBe(1)
    expect(requests({ ...chats, outcome: 'gone' })).toBe(1)
    expect(requests({ path: '/models', status: '200' })).toBe(1)
    expect(requests({ path: '/chat/completions', status: '401', model: '' })).toBe(1)
    expect(sumOf(found, 'samewire_tokens_total', { deployment: 'up/m', type: 'input' })).toBe(9)
    expect(sumOf(found, 'samewire_tokens_total', { deployment: 'up/m', type: 'cached' })).toBe(1)
    expect(sumOf(found, 'samewire_cost_usd_total', { model: 'm' })).toBeCloseTo(2 * 0.000007)
    expect(sumOf(found, 'samewire_requests_in_flight')).toBe(0)
    expect(sumOf(found, 'samewire_config_info')).toBe(1)
  })

  it('tell of attempts, of fallbacks and why, of retries, of streams and failures', async () => {
    const counted = await startCounted(serve, { up, spare }, {}, { retries: 1, cooldown: false })
    await runScript(counted, up, spare)
    const found = parseMetrics(await counted.scrape())
    expect(sumOf(found, 'samewire_attempts_total', { deployment: 'up/m', outcome: 'upstream' })).toBe(4)
    expect(sumOf(found, 'samewire_retries_total', { deployment: 'up/m' })).toBe(2)
    expect(sumOf(found, 'samewire_fallbacks_total', { from: 'up/m', to: 'spare/m', reason: 'upstream' })).toBe(2)
    expect(sumOf(found, 'samewire_attempts_total', { deployment: 'up/m', outcome: 'broke' })).toBe(1)
    for (const outcome of ['done', 'cut', 'gone']) {
      expect(sumOf(found, 'samewire_stream_outcomes_total', { outcome })).toBe(1)
    }
    expect(sumOf(found, 'samewire_failures_total', { kind: 'upstream' })).toBe(1)
    expect(sumOf(found, 'samewire_failures_total', { kind: 'cut' })).toBe(1)
    expect(sumOf(found, 'samewire_failures_total', { kind: 'unauthorized' })).toBe(1)
    expect(sumOf(found, 'samewire_overhead_seconds_count')).toBeGreaterThan(2)
  })

  it('have the names of OpenTelemetry that dashboards have', async () => {
    const counted = await startCounted(serve, { up, spare })
    await runScript(counted, up, spare)
    const found = parseMetrics(await counted.scrape())
    const answered = {
      gen_ai_operation_name: 'chat',
      gen_ai_provider_name: 'openai-compatible',
      gen_ai_system: 'openai-compatible',
      gen_ai_request_model: 'm',
    }
    expect(sumOf(found, 'gen_ai_client_operation_duration_seconds_count', { ...answered, error_type: '' })).toBe(3)
    expect(sumOf(found, 'gen_ai_server_request_duration_seconds_count', { error_type: 'upstream' })).toBe(1)
    expect(sumOf(found, 'gen_ai_server_time_to_first_token_seconds_count', answered)).toBe(3)
    expect(sumOf(found, 'gen_ai_server_time_per_output_token_seconds_count', answered)).toBe(1)
    const usage = { ...answered, gen_ai_response_model: 'm', gen_ai_token_type: 'output' }
    expect(sumOf(found, 'gen_ai_client_token_usage_token_sum', usage)).toBe(6)
  })

  it('have the newer names of OpenTelemetry where its own variable asks for them', async () => {
    const counted = await startCounted(serve, { up, spare }, { latest: true })
    await runScript(counted, up, spare)
    const text = await counted.scrape()
    const found = parseMetrics(text)
    expect(sumOf(found, 'gen_ai_client_inference_duration_seconds_count', { gen_ai_request_model: 'm' })).toBe(6)
    expect(sumOf(found, 'gen_ai_client_inference_usage_output_tokens_total', { gen_ai_request_model: 'm' })).toBe(6)
    expect(sumOf(found, 'gen_ai_client_inference_usage_cache_read_input_tokens_total')).toBe(1)
    expect(text).not.toMatch(/gen_ai_system|gen_ai_client_operation|gen_ai_client_token_usage/)
  })

  it("have the names of LiteLLM's proxy where that is wanted", async () => {
    const counted = await startCounted(serve, { up, spare }, { names: 'litellm' })
    await runScript(counted, up, spare)
    const found = parseMetrics(await counted.scrape())
    const asked = { requested_model: 'm', api_key_alias: 'TEAM_KEY' }
    expect(sumOf(found, 'litellm_proxy_total_requests_metric_total', { ...asked, status_code: '200' })).toBe(5)
    const failed = { ...asked, exception_class: 'BadGatewayError' }
    expect(sumOf(found, 'litellm_proxy_failed_requests_metric_total', failed)).toBe(1)
    expect(sumOf(found, 'litellm_input_tokens_metric_total', { ...asked, model: 'm' })).toBe(9)
    expect(sumOf(found, 'litellm_spend_metric_total', asked)).toBeCloseTo(2 * 0.000007)
    expect(sumOf(found, 'litellm_deployment_successful_fallbacks_total', { requested_model: 'm' })).toBe(1)
    expect(sumOf(found, 'litellm_deployment_failed_fallbacks_total', { requested_model: 'm' })).toBe(1)
    expect(sumOf(found, 'litellm_llm_api_time_to_first_token_metric_count', asked)).toBe(3)
  })

  it('count names that clients make up as one, and names that fit a pattern as the pattern', async () => {
    const counted = await startCounted(serve, { up, spare })
    for (let n = 0; n < 30; n++) {
      await ask(counted.gateway, chat(`made-up-${n}`), { headers })
      await ask(counted.gateway, chat(`up/made-up-${n}`), { headers })
      await ask(counted.gateway, chat(`any-made-up-${n}`), { headers })
    }
    const text = await counted.scrape()
    expect(text).not.toContain('made-up')
    const found = parseMetrics(text)
    expect(sumOf(found, 'samewire_requests_total', { model: 'other' })).toBe(60)
    expect(sumOf(found, 'samewire_requests_total', { model: 'any-*' })).toBe(30)
    expect(sumOf(found, 'samewire_attempts_total', { deployment: 'up/other' })).toBe(30)
  })

  it('tell which deployments are left alone', async () => {
    const cooldown = { allowedFails: 1 }
    const counted = await startCounted(serve, { up, spare }, {}, { cooldown })
    up.script(json(500, { error: { message: 'oops' } }))
    await ask(counted.gateway, chat('m'), { headers })
    await ask(counted.gateway, chat('m'), { headers })
    const found = parseMetrics(await counted.scrape())
    expect(sumOf(found, 'samewire_cooldown', { deployment: 'up/m' })).toBe(1)
    expect(sumOf(found, 'samewire_cooldown', { deployment: 'spare/m' })).toBe(0)
    expect(sumOf(found, 'samewire_breaker_state', { deployment: 'up/m', state: 'open' })).toBe(1)
    expect(sumOf(found, 'samewire_breaker_state', { deployment: 'spare/m', state: 'closed' })).toBe(1)
    expect(sumOf(found, 'samewire_fallbacks_total', { from: 'up/m', to: 'spare/m' })).toBe(1)
    expect(sumOf(found, 'samewire_fallbacks_total', { from: 'm', to: 'spare/m', reason: 'cooldown' })).toBe(1)
  })

  it('tell of no fault of a deployment whose client has left in the middle of a stream', async () => {
    const counted = await startCounted(serve, { up, spare }, {}, { cooldown: { allowedFails: 1 } })
    up.script(stream(chatFrames('hello').slice(0, 2), 'silence'))
    const leave = new AbortController()
    const response = await open(counted.gateway, chat('m', { stream: true }), { headers, signal: leave.signal })
    await response.body?.getReader().read()
    leave.abort()
    let text = ''
    while (!text.includes('outcome="gone"')) text = await counted.scrape()
    const found = parseMetrics(text)
    expect(sumOf(found, 'samewire_attempts_total', { deployment: 'up/m', outcome: 'ok' })).toBe(1)
    expect(sumOf(found, 'samewire_cooldown', { deployment: 'up/m' })).toBe(0)
  })

  it('escape what stands in names', async () => {
    const name = 'back\\slash "quoted"\nbroken'
    const counted = await startCounted(serve, { up, spare }, {}, { models: { [name]: 'up/m' } })
    await ask(counted.gateway, chat(name), { headers })
    const text = await counted.scrape()
    expect(text).toContain('model="back\\\\slash \\"quoted\\"\\nbroken"')
    expect(sumOf(parseMetrics(text), 'samewire_requests_total', { model: name })).toBe(1)
  })

  it('are in OpenMetrics for whoever asks for that', async () => {
    const counted = await startCounted(serve, { up, spare })
    await ask(counted.gateway, chat('m'), { headers })
    const text = await counted.scrape('application/openmetrics-text;version=1.0.0,text/plain;q=0.5')
    expect(text).toMatch(/# TYPE samewire_requests counter\nsamewire_requests_total\{/)
    expect(text.endsWith('\n# EOF\n')).toBe(true)
  })

  it('have no secrets in them', async () => {
    for (const names of ['gen_ai', 'litellm'] as const) {
      const counted = await startCounted(serve, { up, spare }, { names })
      up.script(json(400, { error: { message: `bad key ${env.PROVIDER_KEY}`, code: env.PROVIDER_KEY } }))
      await ask(counted.gateway, chat('m', { user: env.TEAM_KEY }), { headers })
      await ask(counted.gateway, chat(env.TEAM_KEY, { user: env.PROVIDER_KEY }), { headers })
      await ask(counted.gateway, chat('m'), { headers: { authorization: 'Bearer sk-wrong-0123456789' } })
      await fetch(`${counted.gateway.baseURL}/models/${env.TEAM_KEY}?key=${env.TEAM_KEY}`, { headers })
      const text = await counted.scrape()
      for (const secret of [...Object.values(env), 'sk-wrong']) expect(text).not.toContain(secret)
    }
  })

  it('are for the holder of the admin key only', async () => {
    const { gateway } = await startCounted(serve, { up, spare })
    for (const given of [{}, headers]) {
      const response = await fetch(`http://127.0.0.1:${gateway.port}/metrics`, { headers: given })
      expect(response.status).toBe(401)
    }
  })

  it('are not there unless they are wanted, and a sentence says how to get them', async () => {
    const gateway = await serve({ providers: {} })
    const response = await fetch(`http://127.0.0.1:${gateway.port}/metrics`)
    const reply = { status: response.status, headers: response.headers, text: await response.text() }
    expect(reply.status).toBe(404)
    expect(errorOf(reply).message).toContain('SAMEWIRE_METRICS=true')
  })

  it('are refused with a value that is none', async () => {
    await expect(serve({ providers: {} }, { env: { SAMEWIRE_METRICS: 'loud' } })).rejects.toThrow(
      'SAMEWIRE_METRICS: found "loud"; allowed: true, false',
    )
  })
})
