import type { Contender } from './contenders.ts'
import { busyOf, cores } from './machine.ts'
import { loadPlain } from './plain-load.ts'
import { cpuOf } from './processes.ts'
import { chatBody, key, type Pace, requestBytes, responseBody } from './requests.ts'
import { quantile } from './statistics.ts'
import { loadFirsts, loadStreams } from './stream-load.ts'

/** The figures of one window of one scenario for one gateway. */
export interface Reading {
  readonly [figure: string]: number
}

/** The kind of request in a scenario; contenders say which kinds they support. */
export type Kind = 'plain' | 'large' | 'stream' | 'translated' | 'responses'

export interface Scenario {
  readonly name: string
  readonly kind: Kind
  /** Runs one window. Throws if anything failed, since such a window is meaningless. */
  run(gateway: Contender): Promise<Reading>
}

function requestFor(gateway: Contender, { kind, body, translated = body }: Asked): Buffer {
  const given = gateway.translates ? translated : body
  return requestBytes(pathFor(gateway, kind), given, { authorization: `Bearer ${key}`, ...gateway.headers })
}

/** Gateways that don't translate use the upstream's own route: this compares translating with passing on. */
function pathFor({ translates }: Contender, kind: Kind): string {
  if (kind === 'translated' && !translates) return '/api/chat'
  return kind === 'responses' && translates ? '/v1/responses' : '/v1/chat/completions'
}

interface Asked {
  readonly kind: Kind
  readonly body: string
  /** The body for gateways that translate; absent: the same. */
  readonly translated?: string
}

/** The load of a window, and how to evaluate its outcome. */
interface Window<T> extends Asked {
  readonly name: string
  load(port: number, request: Buffer): Promise<T>
  /** Throws if the outcome is meaningless. `cpu` is that of the whole window in microseconds. */
  read(outcome: T, cpu: number): Reading
}

function scenarioOf<T>({ name, load, read, ...asked }: Window<T>): Scenario {
  return {
    name,
    kind: asked.kind,
    async run(gateway) {
      const meter = startMeter(gateway)
      const outcome = await load(gateway.port, requestFor(gateway, asked))
      const { cpu, others } = meter()
      return { ...read(outcome, cpu), others }
    },
  }
}

interface PlainOptions {
  /** Size of the user's message. */
  readonly bytes: number
  readonly connections: number
  /** Length of a window. */
  readonly ms: number
  readonly kind?: Kind
}

/** Plain answers: CPU per request, and latency, in microseconds. */
export function plain(name: string, { bytes, connections, ms, kind = 'plain' }: PlainOptions): Scenario {
  return scenarioOf({
    name,
    kind,
    body: chatBody({ model: 'bench', bytes }),
    load: (port, request) => loadPlain(port, request, connections, ms),
    read({ requests, errors, latencies }, cpu) {
      if (errors > 0 || requests === 0) throw new Error(`${errors} errors beside ${requests} answers`)
      return {
        cpu: cpu / requests,
        p50: quantile(latencies, 0.5),
        p99: quantile(latencies, 0.99),
        rps: (requests * 1000) / ms,
      }
    },
  })
}

interface StreamOptions {
  readonly count: number
  readonly pace: Pace
  readonly model?: string
  readonly kind?: Kind
  /** Whether chunks may come late, where only the CPU counts. */
  readonly late?: boolean
}

/** Paced streams: CPU per chunk, and the delay of a chunk, in microseconds. */
export function streams(
  name: string,
  { count, pace, model = 'bench', kind = 'stream', late }: StreamOptions,
): Scenario {
  const asked = { model, bytes: 1_500, pace }
  return scenarioOf({
    name,
    kind,
    body: chatBody(asked),
    ...(kind === 'responses' && { translated: responseBody(asked) }),
    load: (port, request) => loadStreams(port, request, count, pace),
    read({ errors, chunks, reads, inTime, delays }, cpu) {
      if (errors > 0) throw new Error(`${errors} of ${count} streams broke`)
      if (chunks !== count * pace.chunks) throw new Error(`${chunks} of ${count * pace.chunks} chunks came`)
      if (!late && inTime < chunks * 0.999)
        throw new Error(`${chunks - inTime} of ${chunks} chunks came after their time`)
      // Chunks that travel together cost less, which is another scenario.
      if (chunks > reads * 1.1) throw new Error(`the chunks came ${(chunks / reads).toFixed(2)} to a read`)
      return { cpu: cpu / chunks, delay: quantile(delays, 0.5), 'delay p99': quantile(delays, 0.99) }
    },
  })
}

/**
 * Many streams at once: the share of chunks that arrived in time (%), the longest pause, and the most that a pause grew
 * on the way from the upstream (ms).
 */
export function held(name: string, count: number, pace: Pace): Scenario {
  const limit = 2 * pace.step
  return scenarioOf({
    name,
    kind: 'stream',
    body: chatBody({ model: 'bench', bytes: 1_500, pace }),
    load: (port, request) => loadStreams(port, request, count, pace),
    read(result, cpu) {
      if (result.longestUpstreamGap > limit) {
        throw new Error(`the upstream itself paused for ${result.longestUpstreamGap.toFixed(0)} ms`)
      }
      if (result.longestStall > limit) {
        throw new Error(`the load itself paused for ${result.longestStall.toFixed(0)} ms`)
      }
      return {
        frames: (result.inTime / (count * pace.chunks)) * 100,
        gap: result.longestGap,
        'hold-up': result.longestHoldUp,
        broken: result.errors,
        cpu: cpu / result.chunks,
        delay: quantile(result.delays, 0.5),
      }
    },
  })
}

/** One stream after the other: microseconds to the first token. */
export function firstToken(name: string, ms: number): Scenario {
  const pace: Pace = { step: 0, chunks: 2 }
  return scenarioOf({
    name,
    kind: 'stream',
    body: chatBody({ model: 'bench', bytes: 1_500, pace }),
    load: (port, request) => loadFirsts(port, request, pace, ms),
    read({ errors, firsts }) {
      if (errors > 0 || firsts.length === 0) throw new Error(`a stream broke after ${firsts.length}`)
      return { p50: quantile(firsts, 0.5), p99: quantile(firsts, 0.99) }
    },
  })
}

/**
 * Measures the gateway's CPU from now on, in microseconds, and the share of its core that others use (%). The upstream
 * asked directly is no gateway, so its CPU is NaN.
 */
function startMeter({ pid, direct }: Contender): () => { cpu: number; others: number } {
  const before = { cpu: cpuOf(pid), busy: busyOf(cores.gateway), at: performance.now() }
  return () => {
    const cpu = cpuOf(pid) - before.cpu
    const passed = (performance.now() - before.at) * 1000
    const others = Math.max(0, busyOf(cores.gateway) - before.busy - (direct ? 0 : cpu))
    return { cpu: direct ? Number.NaN : cpu, others: (others / passed) * 100 }
  }
}
