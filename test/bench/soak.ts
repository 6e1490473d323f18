import { createConnection } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { type Contender, startSamewire, startUpstream } from './contenders.ts'
import { cores, keepTo } from './machine.ts'
import { memoryOf } from './processes.ts'
import { chatBody, key, requestBytes } from './requests.ts'
import { plain, type Scenario, streams } from './scenarios.ts'
import { median } from './statistics.ts'

/**
 * `npm run bench:soak`: whether samewire's memory grows under load: plain and large requests, streams, translated
 * streams, and clients that leave, in turns for ten minutes or `--minutes`. Compares the resident memory at the end
 * with that after the first minute, when everything is warm. Each is the median of a minute, since memory varies
 * between garbage collections; in a short run the minute is at most a quarter of the time.
 */
const { values } = parseArgs({ options: { minutes: { type: 'string', default: '10' } } })

/** How much the memory may change, as a fraction. */
const tolerance = 0.05
const total = Number(values.minutes) * 60_000
const minute = Math.min(60_000, total / 4)
const pace = { step: 5, chunks: 200 }

const mix: readonly Scenario[] = [
  plain('plain', { bytes: 1_800, connections: 16, ms: 1_000 }),
  plain('large', { bytes: 139_000, connections: 8, ms: 500, kind: 'large' }),
  streams('streams', { count: 32, pace }),
  streams('translated streams', { count: 32, pace, model: 'native', kind: 'translated' }),
]

interface Sample {
  /** Milliseconds since the load began. */
  readonly at: number
  /** In MB. */
  readonly resident: number
}

async function main(): Promise<void> {
  if (!(minute > 0)) throw new Error('--minutes takes a number above 0')
  keepTo(cores.load)
  const upstream = await startUpstream()
  const gateway = await startSamewire(`http://127.0.0.1:${upstream.port}`)
  try {
    judge(await soak(gateway))
  } finally {
    await gateway.stop()
    await upstream.stop()
  }
}

async function soak(gateway: Contender): Promise<Sample[]> {
  const started = performance.now()
  const samples: Sample[] = []
  let failures = 0
  let told = 0
  const sample = () => {
    const at = performance.now() - started
    const resident = memoryOf(gateway.pid).now
    samples.push({ at, resident })
    if (at - told < total / 20) return
    told = at
    console.log(`${(at / 60_000).toFixed(1).padStart(5)} min  ${resident.toFixed(0)} MB, ${failures} windows failed`)
  }
  const timer = setInterval(sample, 250)
  while (performance.now() - started < total) {
    for (const scenario of mix) {
      await scenario.run(gateway).catch((error: Error) => {
        failures++
        console.log(`       ${scenario.name}: ${error.message}`)
      })
    }
    await leaveEarly(gateway.port)
  }
  clearInterval(timer)
  return samples
}

/** Clients that leave before their streams end, to find memory that is never released. */
async function leaveEarly(port: number): Promise<void> {
  const body = chatBody({ model: 'bench', bytes: 1_800, pace })
  const request = requestBytes('/v1/chat/completions', body, { authorization: `Bearer ${key}` })
  const leave = async (_: unknown, at: number) => {
    const socket = createConnection({ port, host: '127.0.0.1' }).on('error', () => {})
    socket.write(request)
    socket.resume()
    // Some leave before the answer has begun, some in the middle of it.
    await wait(at * 10)
    socket.destroy()
  }
  await Promise.all(Array.from({ length: 32 }, leave))
}

function judge(samples: readonly Sample[]): void {
  const within = (from: number, to: number) =>
    median(samples.filter(({ at }) => at >= from && at < to).map(({ resident }) => resident))
  const before = within(minute, 2 * minute)
  const after = within(total - minute, Number.POSITIVE_INFINITY)
  const change = after / before - 1
  const held = Math.abs(change) <= tolerance
  const figures = `${before.toFixed(0)} MB when warm, ${after.toFixed(0)} MB at the end`
  const percent = `${change >= 0 ? '+' : '−'}${Math.abs(change * 100).toFixed(1)} %`
  console.log(`${figures}: ${percent}, ${held ? 'within' : 'NOT WITHIN'} ± ${tolerance * 100} %`)
  if (!held) process.exitCode = 1
}

await main()
