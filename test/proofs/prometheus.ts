import { spawn, spawnSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { configFile, launch } from '../support/program.ts'
import { chatAnswer, fakeUpstream } from '../support/upstream.ts'

/**
 * `npm run prove:prometheus`: a real Prometheus scrapes a gateway with two workers, and is asked what it has read;
 * promtool checks the text. Looks for both in the folder that is given, or in `PATH`; says so and exits with 0 where they are absent.
 */
const [, , folder] = process.argv
const command = (name: string) => (folder ? join(folder, name) : name)
const requests = 25

function isThere(name: string): boolean {
  return spawnSync(command(name), ['--version']).status === 0
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const address = server.address()
  await new Promise((closed) => server.close(closed))
  return typeof address === 'object' && address ? address.port : 0
}

async function prove(): Promise<string[]> {
  const problems: string[] = []
  const upstream = await fakeUpstream(({ method }, response) => {
    if (method === 'GET') return response.writeHead(404).end()
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(chatAnswer('hello')))
  })
  const lab = { type: 'openai-compatible', baseURL: upstream.url }
  const config = await configFile({ providers: { lab }, models: { 'a "model"': 'lab/m' }, metrics: true })
  const gateway = launch(['--workers', '2', '--config', config.path])
  const [, address = ''] = await gateway.until(/listens on http:\/\/([\d.:]+)\/v1/)
  for (let n = 0; n < requests; n++) {
    const body = JSON.stringify({ model: 'a "model"', messages: [{ role: 'user', content: 'hi' }] })
    const headers = { 'content-type': 'application/json' }
    await (await fetch(`http://${address}/v1/chat/completions`, { method: 'POST', headers, body })).text()
  }
  const text = await (await fetch(`http://${address}/metrics`)).text()
  const checked = spawnSync(command('promtool'), ['check', 'metrics'], { input: text })
  if (checked.status !== 0) problems.push(`promtool: ${checked.stdout}${checked.stderr}`)

  const place = await mkdtemp(join(tmpdir(), 'samewire-prometheus-'))
  const file = join(place, 'prometheus.yml')
  await writeFile(
    file,
    `global: { scrape_interval: 1s }\nscrape_configs: [{ job_name: samewire, static_configs: [{ targets: ['${address}'] }] }]\n`,
  )
  const port = await freePort()
  const given = [`--config.file=${file}`, `--storage.tsdb.path=${place}`, `--web.listen-address=127.0.0.1:${port}`]
  const prometheus = spawn(command('prometheus'), given, { stdio: 'ignore' })
  try {
    const found = await asked(port, 'sum(samewire_requests_total{model="a \\"model\\""})')
    if (found !== requests) problems.push(`Prometheus read ${found} requests of ${requests}`)
    const buckets = await asked(port, 'sum(gen_ai_server_request_duration_seconds_count)')
    if (buckets !== requests) problems.push(`Prometheus read ${buckets} durations of ${requests}`)
    console.log(`Prometheus read ${found} requests of ${requests}, and ${buckets} durations`)
  } finally {
    prometheus.kill()
    gateway.signal('SIGTERM')
    await gateway.ended
    await Promise.all([upstream.close(), config.remove()])
    await rm(place, { recursive: true, force: true, maxRetries: 5 })
  }
  return problems
}

/** The value of an expression, once Prometheus has one. */
async function asked(port: number, query: string): Promise<number> {
  for (let tries = 0; tries < 60; tries++) {
    const url = `http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(query)}`
    const told = await fetch(url).then(
      (response) => response.json() as Promise<{ data?: { result?: { value: [number, string] }[] } }>,
      () => undefined,
    )
    const value = told?.data?.result?.[0]?.value[1]
    if (value !== undefined) return Number(value)
    await new Promise((wait) => setTimeout(wait, 500))
  }
  return Number.NaN
}

if (!isThere('prometheus') || !isThere('promtool')) {
  console.log('prove:prometheus: nothing is proved, since there is no prometheus or no promtool here')
} else {
  const problems = await prove()
  for (const problem of problems) console.error(problem)
  process.exitCode = problems.length > 0 ? 1 : 0
}
