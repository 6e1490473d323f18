import { compare } from './compare.ts'
import type { Contender } from './contenders.ts'
import { cores } from './machine.ts'
import { startCollector } from './observers.ts'

/**
 * `npm run bench:all-on`: CPU of a request and of a stream with a log, metrics and traces, each alone and all at once, beside
 * the same without any of them. The log goes to a pipe, the traces to a collector in a process of its own.
 */
const admin = 'sk-samewire-bench-admin'
const log = { LOG_FORMAT: 'json', LOG_LEVEL: 'info' }
const metrics = { SAMEWIRE_METRICS: 'true' }
const off = { LOG_LEVEL: 'silent', SAMEWIRE_ADMIN_KEY: admin }
const allOn = 'all on'

await compare({
  bounded: allOn,
  most: '1.10',
  async variants() {
    const collector = await startCollector(cores.load)
    const traces = (name: string) => ({
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${collector.port}/${name}`,
      // Whatever the collector's share of its core: a span that is lost costs less.
      OTEL_BSP_MAX_QUEUE_SIZE: '100000',
    })
    return {
      variants: {
        off: { env: off },
        // Told of each request, and does nothing.
        told: { env: { ...off, LOG_LEVEL: 'error' } },
        log: { env: { ...off, ...log } },
        metrics: { env: { ...off, ...metrics } },
        traces: { env: { ...off, ...traces('traces') } },
        [allOn]: { env: { ...off, ...log, ...metrics, ...traces('all') } },
      },
      async stop(gateways) {
        const gateway = gateways.get(allOn)
        if (gateway) await tellExport(gateway, `http://127.0.0.1:${collector.port}/all`)
        await collector.stop()
      },
    }
  },
})

/** Whether all spans arrived: what is lost costs nothing. */
async function tellExport(gateway: Contender, collector: string): Promise<void> {
  const scrape = await fetch(`http://127.0.0.1:${gateway.port}/metrics`, {
    headers: { authorization: `Bearer ${admin}` },
  })
  const lines = (await scrape.text()).matchAll(/^samewire_requests_total\{.*\} (\d+)$/gm)
  const requests = [...lines].reduce((sum, [, count]) => sum + Number(count), 0)
  // It sends what is left.
  await gateway.stop()
  const counts = await fetch(collector).then((response) => response.json())
  const { spans, requests: exports, bytes } = counts as { spans: number; requests: number; bytes: number }
  console.log(`${requests} requests, ${spans} spans (${(bytes / spans).toFixed(0)} bytes each) in ${exports} exports`)
  if (spans !== requests * 3)
    throw new Error(`${requests * 3 - spans} spans were lost, so that the figures do not count`)
}
