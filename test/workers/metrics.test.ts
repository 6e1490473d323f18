import { afterAll, beforeAll, expect, it } from 'vitest'
import { parseMetrics, sumOf } from '../observe/prometheus.ts'
import { chat, until } from '../support/ask.ts'
import { configFile, launch, type Program } from '../support/program.ts'
import { chatAnswer, type FakeUpstream, fakeUpstream } from '../support/upstream.ts'

let upstream: FakeUpstream
let config: { path: string; remove(): Promise<void> }
let program: Program
let port: number
let pids: number[]

beforeAll(async () => {
  upstream = await fakeUpstream(({ method }, response) => {
    if (method === 'GET') return response.writeHead(404).end()
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(chatAnswer('hello')))
  })
  const lab = { type: 'openai-compatible', baseURL: upstream.url }
  config = await configFile({ providers: { lab }, models: { m: 'lab/m' }, metrics: true })
  program = launch(['--workers', '2', '--config', config.path])
  port = Number((await program.until(/listens on http:\/\/127\.0\.0\.1:(\d+)\/v1/))[1])
  pids = ((await program.until(/processes: (.*)/))[1] ?? '').split(', ').map(Number)
})
afterAll(async () => {
  program.signal('SIGTERM')
  expect(await program.ended).toBe(0)
  await upstream.close()
  await config.remove()
})

async function askOften(count: number): Promise<void> {
  for (let n = 0; n < count; n++) {
    const response = await fetch(`http://127.0.0.1:${port}/v1/chat/completions`, {
      method: 'POST',
      // Of its own connection, so that the workers take turns.
      headers: { 'content-type': 'application/json', connection: 'close' },
      body: JSON.stringify(chat('m')),
    })
    expect(response.status).toBe(200)
    await response.text()
  }
}

async function scrape() {
  const response = await fetch(`http://127.0.0.1:${port}/metrics`, { headers: { connection: 'close' } })
  expect(response.headers.get('content-type')).toContain('version=0.0.4')
  return parseMetrics(await response.text())
}

it('tells what all workers have counted, whichever is asked, also when one is killed or leaves', async () => {
  await askOften(10)
  for (let n = 0; n < 4; n++) {
    const found = await scrape()
    expect(sumOf(found, 'samewire_requests_total', { model: 'm' })).toBe(10)
    expect(sumOf(found, 'samewire_processes')).toBe(2)
  }
  const [killed = 0, leaving = 0] = pids
  process.kill(killed, 'SIGKILL')
  const [, next] = await program.until(/worker (\d+) answers/)
  expect(sumOf(await scrape(), 'samewire_requests_total', { model: 'm' })).toBe(10)
  await askOften(6)
  // Without a scrape in between: it tells what it has counted before it ends.
  process.kill(leaving, 'SIGTERM')
  await program.until(new RegExp(`worker (?!${next} )\\d+ answers`))
  const isThere = () => {
    try {
      return process.kill(leaving, 0)
    } catch {
      return false
    }
  }
  await until(() => !isThere())
  const found = await scrape()
  expect(sumOf(found, 'samewire_requests_total', { model: 'm' })).toBe(16)
  expect(sumOf(found, 'samewire_attempts_total', { deployment: 'lab/m', outcome: 'ok' })).toBe(16)
  expect(sumOf(found, 'samewire_processes')).toBe(2)
})
