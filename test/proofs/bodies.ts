import { readFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { npmStart, start } from '../bench/processes.ts'
import { type Hostile, refused, served } from '../support/hostile.ts'

/**
 * `npm run proof:bodies`: measures how long bodies designed to block a gateway, which runs in its own process, keep its
 * event loop busy: milliseconds of its main thread per MB, at 1 MB and at 19 MB. Bodies that are served are sent to
 * three models: one that passes the bytes on, one with fields set by the configuration, and one whose provider needs
 * translation. Exits with 1 if a body takes longer than the bound or gets a wrong answer. Needs Linux.
 */
const bound = 40
/** Size in MB, and the number of requests for the median: a large one needs no repetition. */
const sizes = [
  { size: 1, turns: 5 },
  { size: 19, turns: 1 },
] as const
const models = ['passed', 'tuned', 'translated'] as const

const cache = 'node_modules/.cache/proofs'

const answers: Readonly<Record<string, object>> = {
  '/v1/chat/completions': { choices: [{ index: 0, message: { content: '.' }, finish_reason: 'stop' }] },
  '/api/chat': { model: 'm', message: { role: 'assistant', content: '.' }, done: true, done_reason: 'stop' },
}

const upstream = createServer(async (incoming, response) => {
  for await (const _ of incoming) {
    // Read to the end.
  }
  const answer = answers[incoming.url ?? '']
  response.writeHead(answer ? 200 : 404, { 'content-type': 'application/json' }).end(JSON.stringify(answer ?? {}))
})
await new Promise<void>((listening) => upstream.listen(0, '127.0.0.1', listening))
const origin = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`

const config = {
  providers: {
    lab: { type: 'openai-compatible', baseURL: `${origin}/v1` },
    ollama: { type: 'ollama', baseURL: origin },
  },
  models: {
    passed: 'lab/m',
    tuned: { deployments: [{ model: 'lab/m', params: { top_k: 5 } }] },
    translated: 'ollama/m',
  },
}
await mkdir(cache, { recursive: true })
await writeFile(`${cache}/bodies.json`, JSON.stringify(config))
const command = npmStart('--port', '0', '--config', `${cache}/bodies.json`)
const gateway = await start({ name: 'samewire', command, core: undefined, port: /127\.0\.0\.1:(\d+)/ })

/** CPU time of the gateway's main thread in milliseconds. */
function busy(): number {
  const [nanoseconds] = readFileSync(`/proc/${gateway.pid}/task/${gateway.pid}/schedstat`, 'utf8').split(' ')
  return Number(nanoseconds) / 1e6
}

interface Reply {
  readonly status: number
  readonly text: string
}

function ask(body: Uint8Array): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': body.length }
    const options = { port: gateway.port, host: '127.0.0.1', path: '/v1/chat/completions', method: 'POST', headers }
    const read = async (incoming: IncomingMessage) => {
      let text = ''
      for await (const chunk of incoming) text += chunk
      resolve({ status: incoming.statusCode ?? 0, text })
    }
    request(options, (incoming) => void read(incoming).catch(reject))
      .on('error', reject)
      .end(body)
  })
}

function isRight({ refused: why }: Hostile, { status, text }: Reply): boolean {
  return why ? status === 400 && why.test(text) : status === 200
}

/** Milliseconds per MB; undefined if the answer is wrong. */
async function cost(kind: Hostile, model: string, size: number, turns: number): Promise<number | undefined> {
  const body = kind.make(model, size * 1e6)
  const all: number[] = []
  for (let turn = 0; turn < turns; turn++) {
    const before = busy()
    const reply = await ask(body)
    all.push((busy() - before) / (body.length / 1e6))
    if (isRight(kind, reply)) continue
    console.log(`  WRONG  ${kind.what}, ${model}: ${reply.status} ${reply.text.slice(0, 200)}`)
    return undefined
  }
  return all.sort((a, b) => a - b)[Math.floor(all.length / 2)]
}

const columns = (what: string, figures: readonly string[]) =>
  `${what.padEnd(38)}${figures.map((figure) => figure.padStart(18)).join('')}`

async function judge(kind: Hostile): Promise<void> {
  const asked = kind.refused ? models.slice(0, 1) : models
  const rows: string[] = []
  let missed = false
  for (const { size, turns } of sizes) {
    const all: (number | undefined)[] = []
    for (const model of asked) all.push(await cost(kind, model, size, turns))
    missed ||= all.some((ms) => ms === undefined || ms > bound)
    rows.push(all.map((ms) => ms?.toFixed(1) ?? 'wrong').join(' '))
  }
  if (missed) process.exitCode = 1
  console.log(`${columns(kind.what, rows)}${missed ? '  MISSED' : ''}`)
}

try {
  // Warm up until V8 has compiled the code.
  for (let turn = 0; turn < 20; turn++) {
    for (const kind of [...served, ...refused]) await ask(kind.make(models[turn % 3] ?? '', 50_000))
  }
  const heads = sizes.map(({ size }) => `${size} MB`)
  console.log(columns(`ms a MB, at most ${bound}: refused`, heads))
  for (const kind of refused) await judge(kind)
  console.log(columns(`served: ${models.join(', ')}`, heads))
  for (const kind of served) await judge(kind)
} finally {
  await gateway.stop()
  upstream.closeAllConnections()
  upstream.close()
}
