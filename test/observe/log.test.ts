import { describe, expect, it } from 'vitest'
import type { Config } from '../../src/config/schema.ts'
import { type Clock, systemClock } from '../../src/core/clock.ts'
import type { LogOutput } from '../../src/observe/observing.ts'
import { keptInMemory } from '../support/accounting.ts'
import { ask, chat, noLists, open, until } from '../support/ask.ts'
import { gatewayStarter, ManualClock, serveUpstreams } from '../support/gateway.ts'
import { chatAnswer, chatFrames, json, type Script, stream } from '../support/upstream.ts'

const providerKey = 'sk-provider-0123456789'
const teamKey = 'the-key-of-the-team'
const env = { PROVIDER_KEY: providerKey, TEAM_KEY: teamKey }
const headers = { authorization: `Bearer ${teamKey}` }
const { up, spare } = serveUpstreams({ up: json(200, chatAnswer('hello')), spare: json(200, chatAnswer('spare')) })
const serve = gatewayStarter()

const failed = { deployment: 'up/m', status: 429, failure: 'rate_limit', reason: 'rate_limit_exceeded' }

type Line = Record<string, unknown> & { readonly attempts?: readonly Record<string, unknown>[] }

async function start(
  log: Config['log'] = {},
  more: Record<string, string> = {},
  format: LogOutput['format'] = 'json',
  settings: Config = {},
  clock: Clock = systemClock,
) {
  const entries: string[] = []
  const type = 'openai-compatible'
  const config = {
    providers: {
      up: { type, baseURL: up.url, apiKey: 'env:PROVIDER_KEY' },
      spare: { type, baseURL: spare.url },
    },
    models: {
      m: { deployments: [{ model: 'up/m', price: { input: 1, output: 2 } }], fallbacks: ['spare/m'] },
    },
    keys: ['env:TEAM_KEY'],
    retries: 0,
    log,
    ...settings,
  }
  const { accounting } = await keptInMemory()
  const output: LogOutput = { write: (entry) => void entries.push(entry), format }
  const gateway = await serve(config, { services: noLists, env: { ...env, ...more }, output, accounting, clock })
  const lines = () => entries.map((entry) => JSON.parse(entry) as Line)
  return { gateway, entries, lines, requests: () => lines().filter(({ msg }) => msg === 'request') }
}

describe('The log of requests', () => {
  it('has a line for each: who asked for what, who answered, how long it took, what it cost', async () => {
    const { gateway, lines } = await start()
    const { headers: told } = await ask(gateway, chat('m', { user: 'user-7' }), { headers })
    expect(lines()).toEqual([
      {
        ...{ time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/), level: 'info', msg: 'request' },
        ...{ id: told.get('x-request-id'), method: 'POST', path: '/chat/completions', status: 200, outcome: 'done' },
        ...{ operation: 'chat', model: 'm', served: 'up/m', stream: false, input: 3, output: 2, cost: 0.000007 },
        ...{ ms: expect.any(Number), first_ms: expect.any(Number), bytes_in: expect.any(Number) },
        ...{ key: 'TEAM_KEY', user: 'user-7', attempts: [{ deployment: 'up/m', ms: expect.any(Number) }] },
      },
    ])
  })

  it('tells why another deployment answered, as a warning', async () => {
    const { gateway, requests } = await start()
    up.script(json(500, { error: { message: 'oops' } }))
    await ask(gateway, chat('m'), { headers })
    expect(requests()).toMatchObject([{ level: 'warn', status: 200, served: 'spare/m', reason: 'upstream_error' }])
    expect(requests()[0]?.attempts).toMatchObject([
      { deployment: 'up/m', failure: 'upstream', reason: 'upstream_error' },
      { deployment: 'spare/m' },
    ])
  })

  it('tells what the upstream said, and where the time went that no attempt took', async () => {
    const later = json(429, { error: { message: 'later' } }, { 'retry-after-ms': '30' })
    const { gateway, requests } = await start({}, {}, 'json', { retries: 1 })
    up.script(later, json(200, chatAnswer('hello')))
    await ask(gateway, chat('up/m'), { headers })
    const [first, second] = requests()[0]?.attempts ?? []
    expect(first).toEqual({ ...failed, ms: expect.any(Number) })
    expect(second).toEqual({ deployment: 'up/m', at: expect.any(Number), ms: expect.any(Number) })
    expect(second?.at).toBeGreaterThanOrEqual(30)
    const read = await start({}, {}, 'text', { retries: 1 })
    up.script(later, json(200, chatAnswer('hello')))
    await ask(read.gateway, chat('up/m'), { headers })
    const told = / after up\/m: rate_limit_exceeded 429 \(\d+ ms\) waited (\d+) ms$/.exec(read.entries.at(-1) ?? '')
    expect(Number(told?.[1])).toBeGreaterThanOrEqual(29)
  })

  it('tells who was left alone, and whose limit was reached', async () => {
    const { gateway, entries } = await start({}, {}, 'text', {
      cooldown: { allowedFails: 1, cooldownTime: 60 },
      keys: [{ key: 'env:TEAM_KEY', name: 'team', rpm: 2 }],
    })
    up.script(json(500, { error: { message: 'oops' } }))
    for (const _ of ['fails', 'is left alone', 'is too much']) await ask(gateway, chat('m'), { headers })
    expect(entries.at(-2)).toMatch(/200 \(cooldown\) .* m -> spare\/m .* skipped up\/m: cooldown$/)
    expect(entries.at(-1)).toMatch(/429 failed \(rate_limit_exceeded: key_rpm\) /)
  })

  it('tells of a stream how it ended: broken off, or left by its client', async () => {
    const { gateway, requests } = await start()
    const [role = '', hello = ''] = chatFrames('hello')
    up.script(stream([role, hello]))
    await ask(gateway, chat('m', { stream: true }), { headers })
    expect(requests()).toMatchObject([{ level: 'warn', stream: true, outcome: 'cut', attempts: [{ broke: true }] }])
    up.script(stream([role, hello], 'silence'))
    const leave = new AbortController()
    const response = await open(gateway, chat('m', { stream: true }), { headers, signal: leave.signal })
    await response.body?.getReader().read()
    leave.abort()
    await until(() => requests().length > 1)
    expect(requests()[1]).toMatchObject({ outcome: 'gone' })
  })

  it('can be read on a terminal', async () => {
    const { gateway, entries } = await start({}, {}, 'text')
    await ask(gateway, chat('m'), { headers })
    expect(entries.join()).toMatch(
      /^\S+Z info {2}req_\w+ POST \/chat\/completions 200 \d+ ms m -> up\/m 3\+2 tokens \$0\.000007 key TEAM_KEY$/,
    )
  })

  it.each([
    ['ended by its upstream', stream(chatFrames('hello').slice(0, 2)), 'upstream', 'upstream_stream_truncated'],
    [
      'broken by its upstream',
      stream(chatFrames('hello').slice(0, 2), 'reset'),
      'upstream',
      'upstream_stream_truncated',
    ],
    [
      'with an error of its upstream in it',
      stream([...chatFrames('hello').slice(0, 2), 'data: {"error":{"message":"oops","code":"odd"}}\n\n']),
      ...['upstream', 'upstream_error'],
    ],
  ])('says who has cut a stream, and why: %s', async (_, script, by, reason) => {
    const { gateway, requests } = await start()
    up.script(script as Script)
    await ask(gateway, chat('m', { stream: true }), { headers })
    const attempts = [{ deployment: 'up/m', broke: true, reason }]
    expect(requests()).toMatchObject([{ outcome: 'cut', cut_by: by, reason, attempts }])
    const { gateway: other, entries } = await start({ format: 'text' })
    await ask(other, chat('m', { stream: true }), { headers })
    expect(entries[0]).toContain(` 200 cut by the ${by} (${reason}) `)
  })

  it('says what is known of a request that is refused: its bytes, and the model if it could be read', async () => {
    const { gateway, requests } = await start()
    const send = (body: string) => ask(gateway, body, { headers })
    for (const body of ['{"model": "m", "messages": []}', '{"model": "m", "messages": [', '{"model": 5}'])
      expect((await send(body)).status).toBe(400)
    const path = '/models/m:generateContent'
    const url = `http://127.0.0.1:${gateway.port}/v1beta${path}`
    const init = { method: 'POST', headers: { ...headers, 'content-type': 'application/json' }, body: '{}' }
    expect((await fetch(url, init)).status).toBe(400)
    expect(requests()).toMatchObject([
      { status: 400, model: 'm', bytes_in: 30 },
      { status: 400, bytes_in: 28 },
      { status: 400, bytes_in: 12 },
      { status: 400, model: 'm', bytes_in: 2 },
    ])
    expect(requests()[1]).not.toHaveProperty('model')
  })

  it('says that the gateway has cut a stream whose upstream was silent for too long', async () => {
    const clock = new ManualClock()
    const { gateway, requests } = await start({}, {}, 'json', { idleTimeout: 60 }, clock)
    up.script(stream(chatFrames('hello').slice(0, 2), 'silence'))
    const response = await open(gateway, chat('m', { stream: true }), { headers })
    const text = response.text()
    await until(() => clock.waiting > 0)
    await clock.advance(75_000)
    await text
    expect(requests()).toMatchObject([{ outcome: 'cut', cut_by: 'gateway', reason: 'upstream_timeout' }])
  })

  it('can be only of those with trouble, by LOG_LEVEL, or of a sample', async () => {
    for (const [log, more] of [
      [{}, { LOG_LEVEL: 'warn' }],
      [{ level: 'warn' }, {}],
      [{ sample: 0 }, {}],
    ] as const) {
      const { gateway, requests } = await start(log, more)
      await ask(gateway, chat('m'), { headers })
      expect(requests()).toEqual([])
      up.script(json(500, { error: { message: 'oops' } }))
      await ask(gateway, chat('m'), { headers })
      expect(requests()).toMatchObject([{ level: 'warn' }])
      up.script(json(200, chatAnswer('hello')))
    }
  })

  it('can be off', async () => {
    const { gateway, entries } = await start({ level: 'silent' })
    up.script(json(500, { error: { message: 'oops' } }))
    await ask(gateway, chat('m'), { headers })
    expect(entries).toEqual([])
  })

  it('is not started with a level that is none', async () => {
    await expect(start({}, { LOG_LEVEL: 'loud' })).rejects.toThrow(
      'The environment can\'t be used:\n  LOG_LEVEL: found "loud"; allowed: silent, error, warn, info, debug',
    )
  })

  it('has nothing of what was asked and answered, unless that is wanted, and then no keys', async () => {
    const secret = 'sk-somebody-elses-0123456789abcdef'
    const question = `my key is ${secret}, yours ${providerKey} and ${teamKey}`
    const asked = (stream: boolean) => ({ ...chat('m', { stream }), messages: [{ role: 'user', content: question }] })
    const quiet = await start()
    await ask(quiet.gateway, asked(false), { headers })
    expect(quiet.entries.join()).not.toMatch(/my key|hello/)
    const open = await start({ content: true })
    await ask(open.gateway, asked(false), { headers })
    up.script(stream(chatFrames('streamed')))
    await ask(open.gateway, asked(true), { headers })
    const [whole, streamed] = open.requests()
    expect(whole?.request).toContain('my key is ***')
    expect(whole?.answer).toContain('hello')
    expect(streamed?.answer).toContain('streamed')
    for (const one of [secret, providerKey, teamKey]) expect(open.entries.join()).not.toContain(one)
  })

  it('can be read by strict readers of JSON, whatever a client calls its model', async () => {
    const { gateway, entries } = await start({ content: true })
    await ask(gateway, chat('half \ud800'), { headers })
    const pair = '\ud83d\ude00'
    await ask(gateway, chat('m', { user: `${'x'.repeat(199)}${pair}${pair}` }), { headers })
    expect(entries).toHaveLength(2)
    for (const entry of entries) expect(entry).not.toMatch(/(?<!\\)\\ud[89a-f]/i)
  })

  it('tells the length of a user that is no name', async () => {
    const { gateway, requests } = await start()
    await ask(gateway, chat('m', { user: 'x'.repeat(100_000) }), { headers })
    expect(requests()).toMatchObject([{ user: '(100000 characters)' }])
  })

  it('has no key that stands where the name of a model belongs', async () => {
    const { gateway, entries } = await start()
    await ask(gateway, chat(teamKey), { headers })
    await ask(gateway, chat(`up/${teamKey}`, { user: teamKey }), { headers })
    expect(entries.join()).not.toContain(teamKey)
    expect(entries.join()).toContain('"model":"up/***"')
  })

  it('cannot be forged by the name of a model', async () => {
    const { gateway, entries } = await start({}, {}, 'text')
    await ask(gateway, chat('m\n2026 error forged'), { headers })
    expect(entries.every((entry) => !entry.includes('\n'))).toBe(true)
  })
})
