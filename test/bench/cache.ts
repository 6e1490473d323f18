import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { loadPlain } from './plain-load.ts'
import { cpuOf, type Measured, npmStart, start } from './processes.ts'
import { chatBody, key, requestBytes } from './requests.ts'
import { median } from './statistics.ts'

/**
 * `npm run bench:cache`: CPU that a request costs the gateway: without kept answers, with them where nobody has asked
 * before, and where somebody has. All gateways run all the time and take turns; ratios are within one round. Exits with 1
 * if an answer that was kept costs more than the bound, as a share of one that wasn't.
 */
const { values } = parseArgs({ options: { rounds: { type: 'string' } } })
const rounds = Number(values.rounds ?? 9)
const bound = 0.6
const ms = 1_200
const connections = 16

const folder = await mkdtemp(join(tmpdir(), 'bench-cache-'))
const port = /"port":(\d+)/
const mock = await start({ name: 'mock', command: [process.execPath, 'test/bench/mock.ts'], core: undefined, port })

async function gateway(name: string, cache: object | undefined): Promise<Measured> {
  const file = join(folder, `${name}.json`)
  const lab = { type: 'openai-compatible', baseURL: `http://127.0.0.1:${mock.port}/v1` }
  await writeFile(file, JSON.stringify({ providers: { lab }, log: { level: 'warn' }, ...(cache && { cache }) }))
  const command = npmStart('--config', file, '--port', '0')
  return await start({
    name,
    command,
    core: undefined,
    env: { SAMEWIRE_KEY: key },
    port: /listens on http:\/\/127\.0\.0\.1:(\d+)/,
  })
}

const without = await gateway('without', undefined)
const keeping = await gateway('keeping', { ttl: 3600 })

let asked = 0
const streams = { step: 0, chunks: 100 }
const forms = [
  { name: 'a whole answer to 2 KB', body: chatBody({ model: 'lab/bench', bytes: 2_000 }) },
  { name: 'a stream of 100 chunks', body: chatBody({ model: 'lab/bench', bytes: 2_000, pace: streams }) },
]

/** Microseconds of CPU a request. */
async function costOf({ pid, port }: Measured, request: Buffer | (() => Buffer)): Promise<number> {
  const before = cpuOf(pid)
  const { requests, errors } = await loadPlain(port, request, connections, ms)
  if (errors > 0 || requests === 0) throw new Error(`${errors} of ${requests} requests failed`)
  return (cpuOf(pid) - before) / requests
}

let isOver = false
for (const { name, body } of forms) {
  const bytes = (text: string) => requestBytes('/v1/chat/completions', text, { authorization: `Bearer ${key}` })
  const fresh = () => bytes(body.replace('"temperature":0.7', `"temperature":0.7,"seed":${++asked}`))
  const same = bytes(body)
  const ways = [
    { name: 'without', cost: () => costOf(without, fresh) },
    { name: 'miss', cost: () => costOf(keeping, fresh) },
    { name: 'hit', cost: () => costOf(keeping, same) },
  ]
  for (const { cost } of ways) await cost()
  const costs = new Map(ways.map((way) => [way.name, [] as number[]]))
  for (let round = 0; round < rounds; round++) {
    for (const way of round % 2 === 0 ? ways : ways.toReversed()) costs.get(way.name)?.push(await way.cost())
  }
  const of = (name: string) => costs.get(name) ?? []
  const ratio = (name: string, to: string) => median(of(name).map((cost, round) => cost / (of(to)[round] ?? 1)))
  const told = ways.map((way) => `${way.name} ${median(of(way.name)).toFixed(0)} µs`).join(', ')
  console.log(
    `${name}: ${told}; hit/miss ${ratio('hit', 'miss').toFixed(2)}, miss/without ${ratio('miss', 'without').toFixed(2)}`,
  )
  isOver ||= ratio('hit', 'miss') > bound
}
await Promise.all([mock, without, keeping].map((one) => one.stop()))
await rm(folder, { recursive: true })
if (isOver) {
  console.error(`an answer that was kept costs more than ${bound} of one that wasn't`)
  process.exitCode = 1
}
