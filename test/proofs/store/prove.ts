import { existsSync, readFileSync } from 'node:fs'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { systemClock } from '../../../src/core/clock.ts'
import { openDatabase } from '../../../src/node/database.ts'
import { configFile, launch } from '../../support/program.ts'
import { chatAnswer, chatFrames } from '../../support/upstream.ts'
import type { Fault } from './faults.ts'
import { type KeyName, keys, Load, nothingSeen, type Seen } from './load.ts'

export interface ProofOptions {
  /** Of the store. */
  readonly url: string
  readonly faults: readonly Fault[]
  /** For files that are needed meanwhile. */
  readonly folder: string
  /** Milliseconds that all clients ask before a fault and after it. */
  readonly calm: number
}

export interface FaultProof {
  readonly fault: string
  readonly seen: Seen
  /** Milliseconds after the fault until each key was answered. */
  readonly back: number
}

/** One turn of the event loop: its milliseconds, its statements, and the longest of them. */
export interface Held {
  readonly ms: number
  readonly statements: number
  readonly longest: { readonly ms: number; readonly sql: string }
}

export interface StoreProof {
  readonly faults: readonly FaultProof[]
  /** The longest that the store held up the event loop; undefined: it can't be measured. */
  readonly held: Held | undefined
  readonly rows: number
  readonly unchecked: number
  /** What is not as it should be. */
  readonly problems: readonly string[]
  readonly printed: string
}

const usage = { prompt_tokens: 10, completion_tokens: 10, total_tokens: 20 }
const watch = fileURLToPath(new URL('./watch.ts', import.meta.url))

const nothing: Fault = { name: 'nothing', lasts: 0, begin: async () => async () => {} }

/** Has one gateway, in a process of its own, serve clients while its store fails in each of these ways. */
export async function proveStore({ url, faults, folder, calm }: ProofOptions): Promise<StoreProof> {
  const upstream = await startUpstream()
  const config = await configFile({
    providers: { up: { type: 'openai-compatible', baseURL: upstream.url } },
    // The most that a request can cost is a good part of what is leased ahead, so that many need the store.
    models: { m: { deployments: [{ model: 'up/m', price: { input: 1, output: 1_000 }, maxOutput: 3_000 }] } },
    keys: [
      { key: 'env:REFUSE', name: 'refuse', budget: 1_000 },
      { key: 'env:ADMIT', name: 'admit', budget: 1_000, onStoreError: 'admit' },
      { key: 'env:FREE', name: 'free' },
    ],
    state: { url: 'env:STATE' },
  })
  const report = join(folder, 'held')
  const measuring = existsSync('/proc/self/schedstat') ? { STORE_WATCH: report, NODE_OPTIONS: `--import=${watch}` } : {}
  const secrets = { REFUSE: keys.refuse, ADMIT: keys.admit, FREE: keys.free, STATE: url }
  const program = launch(['--config', config.path], { ...secrets, ...measuring, LOG_LEVEL: 'warn' })
  const [, address = ''] = await program.until(/listens on (http:\S+)/)
  const proofs = [await befall(nothing, address, calm)]
  // Until then everything is loaded and compiled.
  if ('STORE_WATCH' in measuring) program.signal('SIGUSR2')
  for (const fault of faults) proofs.push(await befall(fault, address, calm))
  program.signal('SIGTERM')
  await program.ended
  await Promise.all([config.remove(), upstream.close()])
  const held = 'STORE_WATCH' in measuring ? (JSON.parse(readFileSync(report, 'utf8')) as Held) : undefined
  return { faults: proofs, held, ...(await booked(url, proofs)), printed: program.printed() }
}

async function befall(fault: Fault, address: string, calm: number): Promise<FaultProof> {
  const seen = nothingSeen()
  const load = new Load(address, seen)
  const pass = (ms: number) => new Promise((over) => setTimeout(over, ms))
  await pass(calm)
  const end = await fault.begin()
  await pass(fault.lasts)
  await end()
  const ended = performance.now()
  await Promise.all((['refuse', 'admit', 'free'] as const).map((key) => untilAnswered(load, key)))
  const back = performance.now() - ended
  await pass(calm)
  await load.stop()
  return { fault: fault.name, seen, back }
}

async function untilAnswered(load: Load, key: KeyName): Promise<void> {
  while ((await load.ask(key)) !== 200);
}

/** Compares what is in the store with what clients saw. */
async function booked(url: string, proofs: readonly FaultProof[]) {
  const database = await openDatabase(url, { clock: systemClock })
  const counts = await database.all(
    `SELECT key_name, count(*) AS requests, CAST(sum(booked) AS BIGINT) AS booked, CAST(sum(unchecked) AS BIGINT) AS unchecked
     FROM requests GROUP BY key_name`,
  )
  const meters = await database.all('SELECT subject, spent, held, lost FROM meters')
  await database.close()
  const problems: string[] = []
  let [rows, unchecked] = [0, 0]
  for (const key of ['refuse', 'admit', 'free'] as const) {
    const row = counts.find(({ key_name: name }) => name === key)
    const asked = proofs.reduce((sum, { seen }) => sum + seen.answered[key] + seen.refused[key], 0)
    rows += Number(row?.requests)
    unchecked += Number(row?.unchecked)
    if (Number(row?.requests) !== asked) problems.push(`${key}: ${asked} requests, and ${row?.requests} rows`)
    const meter = meters.find(({ subject }) => subject === `key:env:${key}`)
    if (key !== 'free' && Number(row?.booked) !== Number(meter?.spent))
      problems.push(`${key}: ${meter?.spent} are spent, and ${row?.booked} booked`)
    if (Number(meter?.held ?? 0) !== 0) problems.push(`${key}: ${meter?.held} are still held`)
  }
  for (const { fault, seen } of proofs) {
    problems.push(...seen.lost.slice(0, 5).map((one) => `${fault}: ${one}`))
    if (seen.refused.admit + seen.refused.free > 0) problems.push(`${fault}: who is to go on was refused`)
  }
  return { rows, unchecked, problems }
}

async function startUpstream() {
  const whole = JSON.stringify({ ...(chatAnswer('hello') as object), usage })
  const frames = chatFrames(...'a stream that takes its time'.split(' '))
  const last = { id: 'c', object: 'chat.completion.chunk', choices: [], usage }
  const stream = [...frames.slice(0, -1), `data: ${JSON.stringify(last)}\n\n`, 'data: [DONE]\n\n']
  const server = createServer(async (request, response) => {
    const body = await bytesOf(request)
    if (body.includes('"stream":true')) return void paced(stream, response)
    response.writeHead(200, { 'content-type': 'application/json' }).end(whole)
  })
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections()
      await new Promise((closed) => server.close(closed))
    },
  }
}

async function bytesOf(request: AsyncIterable<Buffer>): Promise<Buffer> {
  const pieces: Buffer[] = []
  for await (const piece of request) pieces.push(piece)
  return Buffer.concat(pieces)
}

async function paced(frames: readonly string[], response: ServerResponse): Promise<void> {
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  for (const frame of frames) {
    response.write(frame)
    await new Promise((next) => setTimeout(next, 50))
  }
  response.end()
}
