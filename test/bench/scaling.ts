import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { createServer, type Socket } from 'node:net'
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { loadPlain } from './plain-load.ts'
import { cpuOf, type Measured, npmStart, start } from './processes.ts'
import { requestBytes } from './requests.ts'
import { quantile } from './statistics.ts'

/**
 * `npm run bench:scaling`: what `--workers 2` gains on two cores over one process, pinned to one core or not pinned.
 *
 * Load and upstream run on the same cores as the gateway, so wall-clock time is conclusive only if they cost next to
 * nothing. The first two scenarios are designed for that: the embedded model computes its answers, and a long answer of
 * Ollama is translated line by line while the upstream writes one prepared buffer. There the ratio of the rates is the
 * scaling. In the third, plain answers, load and upstream take a good part of the machine: `room` is the ratio if both
 * cores were always busy, the maximum that can be seen here. A process that is not pinned collects garbage on the other
 * core and is faster for that, so the gain over it is smaller.
 *
 * The line `by CPU` needs no spare cores: on separate cores N workers do N times the work of one, minus the higher CPU
 * per request (`efficiency`: CPU of one process over CPU of all, including the one that distributes the connections),
 * minus the imbalance (`balance`: the worse of the busiest worker's share of the CPU time and of the connections, each
 * of which sends its next request at once). It assumes that cores share neither caches nor memory; the time does not.
 *
 * All gateways run all the time and take turns, the order reversed every second round; ratios are within one round. If
 * answers are quick, there are enough connections that every process always finds several requests when it polls: with
 * only a few, it polls more often for the same work.
 */
const { values } = parseArgs({
  options: { short: { type: 'boolean', default: false }, rounds: { type: 'string' }, only: { type: 'string' } },
})
const rounds = Number(values.rounds ?? (values.short ? 2 : 5))
const ms = values.short ? 1_500 : 2_500
const workers = 2
const cores = availableParallelism()

interface Scenario {
  readonly name: string
  readonly request: Buffer
  readonly connections: number
}

const path = '/v1/chat/completions'
const user = (content: string) => [{ role: 'user', content }]
const body = (model: string, text: string, more: object) => JSON.stringify({ model, messages: user(text), ...more })
const story = 'Tell me a story. '

const scenarios: readonly Scenario[] = [
  {
    name: 'embedded model',
    connections: 8,
    request: requestBytes(path, body('demo/tiny-chat', 'Hello', { max_tokens: 64, temperature: 0 }), {}),
  },
  {
    name: 'translated stream of 400 lines',
    connections: 32,
    request: requestBytes(path, body('local/bench', story, { stream: true }), {}),
  },
  {
    name: 'plain answer, 2 KB',
    connections: 32,
    request: requestBytes(path, body('lab/bench', story.repeat(100), {}), {}),
  },
]

/** The result of one window. CPU in microseconds. */
interface Reading {
  readonly rate: number
  /** Of all processes of the gateway, per request. */
  readonly cpu: number
  /** Of load and upstream, per request. */
  readonly around: number
  /** Of each worker, in total. */
  readonly each: readonly number[]
  readonly connections: readonly number[]
  /** Share of the machine's CPU that other programs took. */
  readonly foreign: number
}

interface Gateway extends Measured {
  /** Ids of the processes that answer. */
  readonly answering: readonly number[]
  readonly processes: readonly number[]
}

async function run(gateway: Gateway, { request, connections }: Scenario): Promise<Reading> {
  const own = () => {
    const { user, system } = process.cpuUsage()
    return user + system
  }
  const before = { own: own(), each: gateway.processes.map(cpuOf), busy: busyTime() }
  const started = performance.now()
  const loading = loadPlain(gateway.port, request, connections, ms)
  const held = await new Promise<number[]>((resolve) => {
    const look = () => resolve(gateway.answering.map((pid) => connectionsOf(pid, gateway.port)))
    setTimeout(look, ms / 2)
  })
  const { requests, errors } = await loading
  // Longer than the window, since the last answers are awaited.
  const took = performance.now() - started
  const each = gateway.processes.map((pid, at) => cpuOf(pid) - (before.each[at] ?? 0))
  const around = own() - before.own
  const busy = busyTime() - before.busy
  if (errors > 0 || requests === 0) throw new Error(`${errors} errors in ${requests} requests`)
  const cpu = sum(each)
  return {
    rate: (requests * 1000) / took,
    cpu: cpu / requests,
    around: around / requests,
    each: each.filter((_, at) => gateway.answering.includes(gateway.processes[at] ?? 0)),
    connections: held,
    foreign: Math.max(0, busy - cpu - around) / (took * 1000 * cores),
  }
}

/** The results of one round. */
interface Round {
  /** One process, pinned to one core. */
  readonly pinned: Reading
  /** One process, not pinned. */
  readonly free: Reading
  readonly many: Reading
}

type Gateways = Readonly<Record<keyof Round, Gateway>>

async function measure(scenario: Scenario, gateways: Gateways): Promise<void> {
  const order = Object.keys(gateways) as (keyof Round)[]
  const all: Round[] = []
  for (const name of order) await run(gateways[name], scenario)
  for (let round = 0; round < rounds; round++) {
    const readings: Partial<Record<keyof Round, Reading>> = {}
    for (const name of order) readings[name] = await run(gateways[name], scenario)
    all.push(readings as Round)
    order.reverse()
  }
  print(scenario, all)
}

function print({ name, connections }: Scenario, all: readonly Round[]): void {
  const spread = (figure: (round: Round) => number) => spreadOf(all.map(figure))
  const shares = (counts: readonly number[]) => counts.map((count) => count / sum(counts))
  const fullest = ({ many }: Round) => Math.max(...shares(many.each), ...shares(many.connections))
  const percent = (share: number) => `${(share * 100).toFixed(0)} %`
  const split = (list: (round: Round) => readonly number[]) =>
    Array.from({ length: workers }, (_, at) => percent(spread((round) => shares(list(round))[at] ?? 0).middle)).join(
      ' + ',
    )
  const row = (label: string, which: keyof Round) => {
    const [rate, cpu, around] = (['rate', 'cpu', 'around'] as const).map(
      (figure) => spread((round) => round[which][figure]).middle,
    )
    console.log(
      `  ${label.padEnd(22)} ${rate?.toFixed(0)} answers/s; CPU of each: ${cpu?.toFixed(0)} µs, ` +
        `${around?.toFixed(0)} µs of load and upstream`,
    )
  }

  console.log(`\n${name}, ${connections} connections`)
  row('1 process on 1 core', 'pinned')
  row('1 process left free', 'free')
  row(`${workers} workers`, 'many')
  const time = spread(({ pinned, many }) => many.rate / pinned.rate)
  const room = spread(({ pinned, many }) => (cores * 1e6) / (many.cpu + many.around) / pinned.rate)
  const overFree = spread(({ free, many }) => many.rate / free.rate)
  console.log(`  by time                ${time.text} with room for ${room.text}; over one left free ${overFree.text}`)
  const byCpu = spread((round) => round.pinned.cpu / round.many.cpu / fullest(round))
  const efficiency = spread(({ pinned, many }) => pinned.cpu / many.cpu)
  const balance = spread((round) => 1 / workers / fullest(round))
  console.log(
    `  by CPU                 ${byCpu.text} = ${workers} × efficiency ${efficiency.text} × balance ${balance.text}`,
  )
  console.log(
    `  of each worker         CPU ${split(({ many }) => many.each)}, connections ${split(({ many }) => many.connections)}`,
  )
  const foreign = spread((round) => Math.max(...Object.values(round).map((reading: Reading) => reading.foreign))).middle
  const verdict = foreign > 0.05 ? ': too much for these to count' : ''
  console.log(`  other programs took    ${percent(foreign)} of the machine${verdict}`)
}

/** The median, also as text with the quartiles. */
function spreadOf(all: readonly number[]): { middle: number; text: string } {
  const sorted = [...all].sort((a, b) => a - b)
  const [low, middle, high] = [0.25, 0.5, 0.75].map((share) => quantile(sorted, share))
  return { middle: middle ?? 0, text: `${middle?.toFixed(2)} (${low?.toFixed(2)}–${high?.toFixed(2)})` }
}

const sum = (all: readonly number[]) => all.reduce((total, value) => total + value, 0)

/** CPU time of everything on the machine so far, in microseconds. */
function busyTime(): number {
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = readFileSync('/proc/stat', 'utf8')
    .split('\n', 1)
    .join('')
    .split(/\s+/)
    .slice(1)
    .map(Number)
  return (user + nice + system + irq + softirq) * 10_000
}

/** Number of client connections of a process: open sockets on the gateway's port among its files. */
function connectionsOf(pid: number, port: number): number {
  const local = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  const inodes = new Set<string>()
  for (const line of readFileSync(`/proc/${pid}/net/tcp`, 'utf8').split('\n').slice(1)) {
    const fields = line.trim().split(/\s+/)
    if (fields[1]?.endsWith(local) && fields[3] === '01') inodes.add(`socket:[${fields[9]}]`)
  }
  return readdirSync(`/proc/${pid}/fd`).filter((fd) => {
    try {
      return inodes.has(readlinkSync(`/proc/${pid}/fd/${fd}`))
    } catch {
      return false // Closed since it was listed.
    }
  }).length
}

function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number)
}

/** An HTTP response as bytes, ready to be written. */
function prepared(type: string, text: string): Buffer {
  return Buffer.from(`HTTP/1.1 200 OK\r\ncontent-type: ${type}\r\ncontent-length: ${text.length}\r\n\r\n${text}`)
}

const line = (content: string, more: object) =>
  `${JSON.stringify({ model: 'bench', created_at: '2026-11-23T02:58:27.673367424Z', message: { role: 'assistant', content }, ...more })}\n`

const answers = {
  native: prepared(
    'application/x-ndjson',
    line(' word', { done: false }).repeat(400) +
      line('', { done: true, done_reason: 'stop', prompt_eval_count: 4, eval_count: 400 }),
  ),
  plain: prepared(
    'application/json',
    JSON.stringify({
      id: 'chatcmpl-bench',
      object: 'chat.completion',
      created: 1_700_000_000,
      model: 'bench',
      choices: [{ index: 0, message: { role: 'assistant', content: 'x'.repeat(800) }, finish_reason: 'stop' }],
      usage: { prompt_tokens: 400, completion_tokens: 200, total_tokens: 600 },
    }),
  ),
  missing: Buffer.from('HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n'),
}

/** An upstream that only detects the end of a request. */
async function startUpstream(): Promise<{ port: number; stop(): void }> {
  const open = new Set<Socket>()
  const server = createServer({ noDelay: true }, (socket) => {
    open.add(socket)
    let received = ''
    socket.on('data', (bytes: Buffer) => {
      received += bytes.toString('latin1')
      if (!isWhole(received)) return
      const [method, url = ''] = received.split(' ', 2)
      received = ''
      if (method === 'GET') socket.write(answers.missing)
      else socket.write(url.startsWith('/api/') ? answers.native : answers.plain)
    })
    socket.on('error', () => {})
    socket.on('close', () => open.delete(socket))
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const address = server.address()
  const stop = () => {
    server.close()
    for (const socket of open) socket.destroy()
  }
  return { port: typeof address === 'object' && address ? address.port : 0, stop }
}

function isWhole(request: string): boolean {
  const end = request.indexOf('\r\n\r\n')
  if (end < 0) return false
  const head = request.slice(0, end).toLowerCase()
  if (head.includes('transfer-encoding: chunked')) return request.endsWith('0\r\n\r\n')
  return request.length >= end + 4 + Number(/content-length: (\d+)/.exec(head)?.[1] ?? 0)
}

async function startGateway(count: number, core?: number): Promise<Gateway> {
  const command = npmStart('--port', '0', '--workers', String(count), '--config', config)
  const gateway = await start({ name: `${count} workers`, command, core, port: /127\.0\.0\.1:(\d+)/ })
  const answering = count === 1 ? [gateway.pid] : childrenOf(gateway.pid)
  return { ...gateway, answering, processes: [...new Set([gateway.pid, ...answering])] }
}

const config = 'node_modules/.cache/bench/scaling.json'

async function main(): Promise<void> {
  if (cores < workers) throw new Error(`${workers} workers need ${workers} cores; here is one`)
  const upstream = await startUpstream()
  const address = `http://127.0.0.1:${upstream.port}`
  const providers = {
    demo: { type: 'embedded' },
    lab: { type: 'openai-compatible', baseURL: `${address}/v1` },
    local: { type: 'ollama', baseURL: address },
  }
  await mkdir('node_modules/.cache/bench', { recursive: true })
  await writeFile(config, JSON.stringify({ providers }))
  const started: Gateway[] = []
  const starting = async (count: number, core?: number) => {
    const gateway = await startGateway(count, core)
    started.push(gateway)
    return gateway
  }
  try {
    const gateways = { pinned: await starting(1, 0), free: await starting(1), many: await starting(workers) }
    for (const scenario of scenarios) {
      if (!values.only || scenario.name.includes(values.only)) await measure(scenario, gateways)
    }
  } finally {
    await Promise.all(started.map((gateway) => gateway.stop()))
    upstream.stop()
  }
}

await main()
