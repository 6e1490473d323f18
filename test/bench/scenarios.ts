import { loadPlain, loadStreams, quantile, requestBytes } from './load.ts'
import { cpuOf, type Measured } from './processes.ts'

/** What one window of one scenario gave for one gateway. */
export interface Reading {
  readonly [figure: string]: number
}

export interface Scenario {
  readonly name: string
  /** Which upstream it runs against. */
  readonly upstream: 'quick' | 'paced'
  /** Runs one window. Throws when anything went wrong: a window with an error says nothing. */
  run(gateway: Measured, path: string): Promise<Reading>
}

const key = 'sk-samewire-bench-key'
const headers = { authorization: `Bearer ${key}` }

function chatBody(bytes: number, stream: boolean, model = 'bench'): string {
  const filler = 'The quick brown fox "jumps"\nover the lazy dog. '
  const text = filler.repeat(Math.ceil(bytes / filler.length)).slice(0, bytes)
  return JSON.stringify({
    model,
    ...(stream && { stream: true, stream_options: { include_usage: true } }),
    messages: [
      { role: 'system', content: 'You are a helpful assistant.' },
      { role: 'user', content: text },
    ],
    temperature: 0.7,
  })
}

/** Plain answers: CPU a request, and how long the client waited. */
export function plain(name: string, bytes: number, connections: number, ms: number): Scenario {
  const body = chatBody(bytes, false)
  return {
    name,
    upstream: 'quick',
    async run(gateway, path) {
      const request = requestBytes(path, body, headers)
      const before = cpuOf(gateway.pid)
      const { requests, errors, latencies } = await loadPlain(gateway.port, request, connections, ms)
      const cpu = cpuOf(gateway.pid) - before
      if (errors > 0 || requests === 0) throw new Error(`${errors} errors in ${requests} requests`)
      return {
        cpu: cpu / requests,
        p50: quantile(latencies, 0.5),
        p99: quantile(latencies, 0.99),
        rps: (requests * 1000) / ms,
      }
    },
  }
}

/** Paced streams: CPU a chunk, delay a chunk, time to the first one, and whether the pace was kept. */
export function streams(name: string, count: number, model = 'bench'): Scenario {
  const body = chatBody(1_500, true, model)
  return {
    name,
    upstream: 'paced',
    async run(gateway, path) {
      const request = requestBytes(path, body, headers)
      const before = cpuOf(gateway.pid)
      const { errors, chunks, firsts, delays, longestGap } = await loadStreams(gateway.port, request, count)
      const cpu = cpuOf(gateway.pid) - before
      if (errors > 0 || chunks === 0) throw new Error(`${errors} of ${count} streams broke`)
      return {
        cpu: cpu / chunks,
        delay: quantile(delays, 0.5),
        first: quantile(firsts, 0.5),
        frames: chunks / count,
        gap: longestGap,
      }
    },
  }
}
