import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { get } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startUpstream } from '../bench/contenders.ts'
import { cpuOf, type Measured } from '../bench/processes.ts'
import { chatBody, requestBytes } from '../bench/requests.ts'
import { loadStreams } from '../bench/stream-load.ts'
import { type LiveProgram, startLive } from '../support/live.ts'
import { usually } from '../support/usually.ts'

const models = Array.from({ length: 198 }, (_, n) => `m-${n}`)
const pace = { step: 5, chunks: 100 }
const count = usually(20, 50)
const scrapes = 10
/** Milliseconds of CPU that a scrape may take of any process: it stands still for no longer. */
const mostCpu = 40
/** Milliseconds that a chunk may be held up longer than without scrapes. */
const mostHoldUp = 50
/** Other programs take time and hold chunks up as well, but not every time. */
const turns = 20

let upstream: Measured
beforeAll(async () => {
  upstream = await startUpstream()
})
afterAll(() => upstream.stop())

const request = requestBytes('/v1/chat/completions', chatBody({ model: 'm-0', bytes: 200, pace }), {
  host: '127.0.0.1',
})

async function startCounting(args: readonly string[]): Promise<LiveProgram> {
  const type = 'openai-compatible'
  const config = {
    providers: { lab: { type, baseURL: `http://127.0.0.1:${upstream.port}/v1` } },
    models: Object.fromEntries(models.map((name) => [name, `lab/${name}`])),
    metrics: true,
    log: { level: 'error' },
  } as const
  const live = await startLive(config, { args })
  for (const model of models) {
    const { status } = await live.request('/v1/chat/completions', {
      method: 'POST',
      body: chatBody({ model, bytes: 10 }),
    })
    expect(status).toBe(200)
  }
  return live
}

/** Reads a scrape without looking at it: that would hold up this process. Resolves with its status. */
function scrape({ port }: LiveProgram): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    get({ port, host: '127.0.0.1', path: '/metrics' }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode))
    }).on('error', reject)
  })
}

/** Series in a scrape: a histogram is one. */
async function seriesOf(live: LiveProgram): Promise<number> {
  const { text } = await live.request('/metrics')
  return text.split('\n').filter((line) => line !== '' && !/^#|_bucket\{|_sum[{ ]/.test(line)).length
}

/** Milliseconds of CPU so far, of a process and each of its children. */
function cpuOfAll(pid: number): number[] {
  const tasks = readdirSync(`/proc/${pid}/task`)
  const children = tasks.flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean),
  )
  return [pid, ...children.map(Number)].map((one) => cpuOf(one) / 1000)
}

/** Milliseconds of CPU that one scrape takes of the process with the most of it. */
async function cpuOfScrape(live: LiveProgram): Promise<number> {
  const before = cpuOfAll(live.program.pid)
  for (let n = 0; n < scrapes; n++) await scrape(live)
  return Math.max(...cpuOfAll(live.program.pid).map((cpu, process) => (cpu - (before[process] ?? 0)) / scrapes))
}

async function streamed(live: LiveProgram, scraping: boolean) {
  let running = true
  const reading = loadStreams(live.port, request, count, pace).finally(() => {
    running = false
  })
  const statuses: (number | undefined)[] = []
  while (scraping && running) statuses.push(await scrape(live))
  const { errors, chunks, longestHoldUp } = await reading
  expect({ errors, chunks }).toEqual({ errors: 0, chunks: count * pace.chunks })
  if (scraping) expect(statuses.length).toBeGreaterThan(0)
  expect(statuses.filter((status) => status !== 200)).toEqual([])
  return longestHoldUp
}

/** Milliseconds that a chunk is held up longer with scrapes than without. */
async function leastHoldUp(live: LiveProgram): Promise<number> {
  const longer: number[] = []
  while (longer.length < turns && !longer.some((ms) => ms < mostHoldUp)) {
    const alone = await streamed(live, false)
    longer.push((await streamed(live, true)) - alone)
  }
  return Math.min(...longer)
}

describe.skipIf(!existsSync('/proc/self/schedstat'))('A scrape of 2,000 series', () => {
  const processes: readonly [name: string, args: readonly string[]][] = [
    ['one process', ['--workers', '1']],
    ['two workers', ['--workers', '2']],
  ]

  it.each(usually(processes.slice(1), processes))('cuts no stream of %s, and holds none up', async (_what, args) => {
    const live = await startCounting(args)
    try {
      expect(await seriesOf(live)).toBeGreaterThan(1_800)
      const cpu: number[] = []
      while (cpu.length < turns && !cpu.some((ms) => ms < mostCpu)) cpu.push(await cpuOfScrape(live))
      expect(Math.min(...cpu)).toBeLessThan(mostCpu)
      await streamed(live, true)
      // Beside other tests, those hold chunks up.
      if (usually(false, true)) expect(await leastHoldUp(live)).toBeLessThan(mostHoldUp)
    } finally {
      await live.close()
    }
  })
})
