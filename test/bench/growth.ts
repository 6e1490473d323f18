import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { registry } from '../../providers/index.ts'
import { buildCatalog } from '../../src/config/catalog.ts'
import type { Catalog } from '../../src/core/catalog.ts'
import type { Query } from '../../src/core/plan.ts'
import { resolve } from '../../src/core/resolve.ts'
import { type Measured, memoryOf, npmStart, start } from './processes.ts'
import { quantile } from './statistics.ts'

/**
 * `npm run bench:growth`: costs that must not grow with the work. Routing among 11,000 names takes no longer than among
 * a few; a stream of a million chunks takes no more memory than a short one, whether its client is fast or slow; a
 * request of 20 MB is in memory once. Exits with 1 if a bound is exceeded. The gateway runs in its own process.
 */
const { values } = parseArgs({
  options: {
    only: { type: 'string', default: 'routing,stream,slow,request' },
    chunks: { type: 'string', default: '1000000' },
  },
})

/** Microseconds that a name may take longer among 10,000 models and 1,000 wildcards than among 10. */
const routingBound = 5
/** MB that a stream may add to the memory after its warm-up: less than 32 bytes for each of a million chunks. */
const streamBound = 32
/** MB that a million chunks may add, by the slope of the second half. */
const slopeBound = 16
/** Memory for a request of 20 MB, as a multiple of its size: itself, and the reads not yet garbage-collected. */
const requestBound = 2

const cache = 'node_modules/.cache/bench'

function check(what: string, fine: boolean, figures: string): void {
  console.log(`  ${fine ? 'ok    ' : 'MISSED'} ${what}: ${figures}`)
  if (!fine) process.exitCode = 1
}

// --- Routing ---

/** `models` plain names, and `wildcards` of five kinds: a star at either end, inside, at both ends, and two inside. */
function catalogOf(models: number, wildcards: number): Catalog {
  const kinds = [
    (at: number) => `family-${at}-*`,
    (at: number) => `*-variant-${at}`,
    (at: number) => `org-*-chat-${at}`,
    (at: number) => `*-word-${at}-*`,
    (at: number) => `team-*-${at}-*-x`,
  ]
  const plain = Array.from({ length: models }, (_, at) => `org-${at % 97}/model-${at}-instruct`)
  const starred = Array.from({ length: wildcards }, (_, at) => kinds[at % kinds.length]?.(at) ?? '')
  const names = Object.fromEntries([...plain, ...starred].map((name) => [name, 'lab/served']))
  const providers = { lab: { type: 'openai-compatible', baseURL: 'http://lab.test' } }
  return buildCatalog({ providers, models: names }, registry, {})
}

const names = {
  'an exact name': 'org-3/model-3-instruct',
  'a prefix and a star': 'family-5-large-2026-10-01',
  'a star and a suffix': 'some-model-of-8b-variant-6',
  'a star within': 'org-of-somebody-chat-7',
  'a word between stars': 'some-word-8-model-of-8b',
  'text around stars': 'team-of-9-people-x',
  'provider/model': 'lab/org/model-of-8b',
  'an unknown name': 'gpt-4o-mini-2024-07-18',
}

function routing(): void {
  console.log('routing, µs of resolve() among 10 models and 10 wildcards → 10,000 and 1,000')
  const started = performance.now()
  const many = catalogOf(10_000, 1_000)
  console.log(`  built in ${(performance.now() - started).toFixed(0)} ms`)
  const few = catalogOf(10, 10)
  for (const [what, model] of Object.entries(names)) {
    const query: Query = { model, operation: 'chat', path: '/chat/completions', needs: new Set(), tokens: 100 }
    const timed = (catalog: Catalog) => {
      const from = process.hrtime.bigint()
      for (let turn = 0; turn < 1_000; turn++) resolve(query, catalog, { known: new Map(), random: () => 0, now: 0 })
      return Number(process.hrtime.bigint() - from) / 1_000_000
    }
    // Alternating, so that both see the same conditions.
    const rounds = Array.from({ length: 120 }, () => [timed(few), timed(many)] as const).slice(20)
    const [small, large] = [0, 1].map((side) => median(rounds.map((round) => round[side] ?? Number.NaN))) as [
      number,
      number,
    ]
    check(what, large - small <= routingBound, `${small.toFixed(2)} → ${large.toFixed(2)}`)
  }
}

function median(all: readonly number[]): number {
  return quantile(
    [...all].sort((a, b) => a - b),
    0.5,
  )
}

// --- The gateway, its upstream and its client ---

type Answerer = (incoming: IncomingMessage, response: ServerResponse) => unknown

interface Lab {
  readonly gateway: Measured
  close(): Promise<void>
}

/** A gateway whose upstream answers POSTs with `answerer`. It collects garbage on SIGUSR2. */
async function lab(answerer: Answerer): Promise<Lab> {
  const upstream = createServer((incoming, response) => {
    if (incoming.method === 'POST') void answerer(incoming, response)
    else response.writeHead(404).end()
  })
  await new Promise<void>((listening) => upstream.listen(0, '127.0.0.1', listening))
  const baseURL = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}/v1`
  const config = {
    providers: { lab: { type: 'openai-compatible', baseURL } },
    models: { plain: 'lab/served', tuned: { deployments: [{ model: 'lab/served', params: { top_k: 5 } }] } },
  }
  await mkdir(cache, { recursive: true })
  await writeFile(`${cache}/growth.json`, JSON.stringify(config))
  const collect = 'data:text/javascript,process.on("SIGUSR2",()=>{gc();gc()})'
  const [program, ...serve] = npmStart('--port', '0', '--config', `${cache}/growth.json`)
  const command = [program, '--expose-gc', '--import', collect, ...serve]
  const gateway = await start({ name: 'samewire', command, core: undefined, port: /127\.0\.0\.1:(\d+)/ })
  return {
    gateway,
    async close() {
      await gateway.stop()
      upstream.closeAllConnections()
      await new Promise((closed) => upstream.close(closed))
    },
  }
}

function post(port: number, body: string, path = '/v1/chat/completions'): Promise<IncomingMessage> {
  return new Promise((answered, failed) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
    const outgoing = request({ port, host: '127.0.0.1', path, method: 'POST', headers }, answered)
    outgoing.on('error', failed).end(body)
  })
}

// --- Streams ---

const asking = JSON.stringify({ model: 'plain', stream: true, messages: [{ role: 'user', content: 'hi' }] })
const head = '{"id":"chatcmpl-lab","object":"chat.completion.chunk","created":1700000000,"model":"served","choices":[{'

/** The stream of an upstream, with a record of what was written. */
class Source {
  readonly hash = createHash('sha256')
  bytes = 0
  gone = false

  /** Every event is a separate HTTP chunk, written to the socket directly: Node would join them. */
  async answer({ socket }: IncomingMessage, chunks: number): Promise<void> {
    socket.once('close', () => {
      this.gone = true
    })
    socket.write('HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n')
    let waiting = ''
    for (let at = 0; at < chunks && !this.gone; at++) {
      waiting += this.#chunk(`data: ${head}"index":0,"delta":{"content":" word ${at}"},"finish_reason":null}]}\n\n`)
      if (waiting.length < 16 * 1024) continue
      if (!socket.write(waiting)) await writable(socket)
      waiting = ''
    }
    const finish = this.#chunk(`data: ${head}"index":0,"delta":{},"finish_reason":"stop"}]}\n\n`)
    socket.write(`${waiting}${finish}${this.#chunk('data: [DONE]\n\n')}0\r\n\r\n`)
  }

  #chunk(text: string): string {
    this.bytes += text.length
    this.hash.update(text)
    return `${text.length.toString(16)}\r\n${text}\r\n`
  }
}

/** Resolves when more can be written, or the reader has left. */
function writable(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      socket.off('drain', done).off('close', done)
      resolve()
    }
    socket.on('drain', done).on('close', done)
  })
}

async function longStream(): Promise<void> {
  const chunks = Number(values.chunks)
  const source = new Source()
  const { gateway, close } = await lab((incoming) => source.answer(incoming, chunks))
  const started = performance.now()
  const hash = createHash('sha256')
  const samples: { chunk: number; memory: number }[] = []
  let events = 0
  let pieces = 0
  let last = 0
  try {
    for await (const bytes of (await post(gateway.port, asking)) as AsyncIterable<Buffer>) {
      hash.update(bytes)
      pieces++
      if (last === 10 && bytes[0] === 10) events++
      last = bytes.at(-1) ?? last
      for (let at = bytes.indexOf('\n\n'); at >= 0; at = bytes.indexOf('\n\n', at + 2)) events++
      if (events >= (samples.at(-1)?.chunk ?? 0) + chunks / 200)
        samples.push({ chunk: events, memory: memoryOf(gateway.pid).now })
    }
    const seconds = (performance.now() - started) / 1000
    const megabytes = (source.bytes / 1e6).toFixed(0)
    console.log(
      `a stream of ${events} events, ${megabytes} MB, in ${seconds.toFixed(0)} s; it came in ${pieces} pieces`,
    )
    const same = hash.digest('hex') === source.hash.digest('hex')
    check('what came', same && events === chunks + 2, same ? 'what was sent, to the byte' : 'not what was sent')
    judgeMemory(samples, chunks)
  } finally {
    await close()
  }
}

/** The first tenth is the warm-up; the slope is that of the second half. */
function judgeMemory(samples: readonly { chunk: number; memory: number }[], chunks: number): void {
  const of = (from: number, to: number) => samples.filter(({ chunk }) => chunk >= from * chunks && chunk <= to * chunks)
  const warm = median(of(0.1, 0.2).map(({ memory }) => memory))
  const end = median(of(0.9, 1).map(({ memory }) => memory))
  const peak = Math.max(...of(0.1, 1).map(({ memory }) => memory))
  const slope = slopeOf(of(0.5, 1)) * 1_000_000
  const text = `${warm.toFixed(0)} MB after the warm-up, ${end.toFixed(0)} at the end, ${peak.toFixed(0)} at most`
  check('memory', Math.max(peak, end) - warm <= streamBound, text)
  check('its slope', slope <= slopeBound, `${slope.toFixed(1)} MB a million chunks in the second half`)
}

function slopeOf(samples: readonly { chunk: number; memory: number }[]): number {
  const mean = (all: readonly number[]) => all.reduce((sum, one) => sum + one, 0) / all.length
  const [x, y] = [mean(samples.map(({ chunk }) => chunk)), mean(samples.map(({ memory }) => memory))]
  const above = samples.reduce((sum, { chunk, memory }) => sum + (chunk - x) * (memory - y), 0)
  return above / samples.reduce((sum, { chunk }) => sum + (chunk - x) ** 2, 0)
}

/** Reads 1 MB a second for 10 seconds, then leaves. */
async function slowClient(): Promise<void> {
  const source = new Source()
  const { gateway, close } = await lab((incoming) => source.answer(incoming, Number(values.chunks)))
  try {
    const before = memoryOf(gateway.pid).now
    const incoming = await post(gateway.port, asking)
    let read = 0
    let peak = 0
    incoming.on('data', (bytes: Buffer) => {
      read += bytes.length
      if (read > allowed) incoming.pause()
    })
    const started = performance.now()
    let allowed = 0
    while (performance.now() - started < 10_000) {
      allowed = ((performance.now() - started) / 1000) * 1e6
      if (read <= allowed) incoming.resume()
      peak = Math.max(peak, memoryOf(gateway.pid).now)
      await wait(20)
    }
    console.log('a client that reads 1 MB a second, for 10 s')
    const ahead = (source.bytes - read) / 1e6
    check('memory', peak - before <= streamBound, `${before.toFixed(0)} MB before, ${peak.toFixed(0)} at most`)
    check('the upstream', ahead < 16, `${ahead.toFixed(1)} MB ahead of the ${(read / 1e6).toFixed(1)} that were read`)
    incoming.destroy()
    await wait(500)
    check('the client leaves', source.gone, source.gone ? 'and so does the gateway' : 'but the gateway stays')
  } finally {
    await close()
  }
}

// --- A large request ---

const size = 20_000_000

/** A request of 20 MB for `model`: `part` repeated, then the end. */
function largeRequest(model: string, part: string): string {
  const front = `{"model":"${model}","messages":[{"role":"user","content":"`
  const times = Math.floor((size - front.length - 4) / Buffer.byteLength(part))
  return `${front}${part.repeat(times)}"}]}`
}

const base64 = 'iVBORw0KGgoAAAANSUhEUgAABAAAAAQACAIAAADwf7zU'
const prose = 'Grüße aus Köln, 日本 \\"zitiert\\"\\n'

const requests: readonly { what: string; body: string; path?: string }[] = [
  { what: 'an image in base64', body: largeRequest('plain', base64) },
  { what: 'text of many alphabets', body: largeRequest('plain', prose) },
  { what: 'fields set by the configuration', body: largeRequest('tuned', base64) },
  { what: 'a model with escapes', body: largeRequest('plain', base64).replace('"model"', '"mod\\u0065l"') },
  {
    what: 'the model in the path',
    body: largeRequest('other', base64),
    path: '/v1/engines/plain/chat/completions',
  },
]

async function largeRequests(): Promise<void> {
  console.log('a request of 20 MB: the most memory that it takes, by its own size')
  for (const kind of requests) await largeRequestOf(kind)
}

/** A new gateway for each kind, since a process keeps the memory of earlier requests. */
async function largeRequestOf({ what, body, path }: (typeof requests)[number]): Promise<void> {
  const answer = JSON.stringify({ choices: [{ index: 0, message: { content: '.' }, finish_reason: 'stop' }] })
  const { gateway, close } = await lab(async (incoming, response) => {
    for await (const _ of incoming) {
      // Read to the end.
    }
    response.writeHead(200, { 'content-type': 'application/json' }).end(answer)
  })
  const ask = async (text: string) => {
    const incoming = await post(gateway.port, text, path)
    incoming.resume()
    if (incoming.statusCode !== 200) throw new Error(`${what}: answered with ${incoming.statusCode}`)
    await new Promise((ended) => incoming.once('end', ended))
  }
  try {
    for (let turn = 0; turn < 500; turn++) await ask(asking.replace('"stream":true,', ''))
    const before = await settled(gateway.pid)
    const times: number[] = []
    for (let turn = 0; turn < 3; turn++) {
      await settled(gateway.pid)
      await ask(body)
      times.push(((memoryOf(gateway.pid).peak - before) * 1024 * 1024) / Buffer.byteLength(body))
    }
    check(what, Math.max(...times) <= requestBound, times.map((value) => value.toFixed(2)).join(', '))
  } finally {
    await close()
  }
}

/** Memory in MB after garbage collection; resets the peak. */
async function settled(pid: number): Promise<number> {
  process.kill(pid, 'SIGUSR2')
  await wait(300)
  writeFileSync(`/proc/${pid}/clear_refs`, '5')
  return memoryOf(pid).now
}

const parts: Readonly<Record<string, () => void | Promise<void>>> = {
  routing,
  stream: longStream,
  slow: slowClient,
  request: largeRequests,
}
for (const part of values.only.split(',')) await parts[part]?.()
