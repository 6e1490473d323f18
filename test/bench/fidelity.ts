import { mkdir, writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { compare, exchangeOf, fidelityConfig, fidelityUpstream } from '../support/fidelity.ts'
import { type Measured, npmStart, start } from './processes.ts'
import { bundle, startWorkerd } from './workerd.ts'

/**
 * `npm run fidelity`: sends 10,000 generated exchanges through the gateway as it is deployed, on Node and in workerd,
 * over real sockets, cut at random places in both directions. A request must arrive as it was sent except for the value
 * of `model`, and an answer unchanged. `--from N --count 1` repeats one.
 */
const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '10000' },
    from: { type: 'string', default: '0' },
    on: { type: 'string', default: 'node,workerd' },
  },
})
const from = Number(values.from)
const to = from + Number(values.count)
const key = 'sk-samewire-fidelity-key'

async function startNode(config: string): Promise<Measured> {
  const folder = 'node_modules/.cache/bench'
  await mkdir(folder, { recursive: true })
  await writeFile(`${folder}/fidelity.json`, config)
  const command = npmStart('--port', '0', '--config', `${folder}/fidelity.json`)
  return await start({ name: 'node', command, core: undefined, env: { SAMEWIRE_KEY: key }, port: /127\.0\.0\.1:(\d+)/ })
}

async function startWorker(config: string): Promise<Measured> {
  const bindings = { SAMEWIRE_KEY: key, SAMEWIRE_CONFIG: config }
  return await startWorkerd('workerd', await bundle('samewire', 'src/worker.ts'), bindings)
}

function countsOf(): string {
  let streams = 0
  let large = 0
  let bytes = 0
  for (let number = from; number < to; number++) {
    const exchange = exchangeOf(number)
    if (exchange.streams) streams++
    if (exchange.request.length >= 16 * 1024) large++
    bytes += exchange.request.length + exchange.answer.length
  }
  const megabytes = (bytes / 1e6).toFixed(0)
  return `${to - from} exchanges, ${megabytes} MB: ${streams} streams, ${large} requests of 16 KB and more`
}

console.log(countsOf())
const upstream = await fidelityUpstream()
for (const place of values.on.split(',')) {
  const config = JSON.stringify(fidelityConfig(upstream.url))
  const gateway = await (place === 'node' ? startNode(config) : startWorker(config))
  const started = performance.now()
  try {
    const failures = await compare(from, to, { port: gateway.port, key, upstream })
    for (const failure of failures) console.log(`  ${failure}`)
    const seconds = ((performance.now() - started) / 1000).toFixed(0)
    console.log(`${place}: ${failures.length > 0 ? 'NOT the same' : 'all the same to the byte'} (${seconds} s)`)
    if (failures.length > 0) process.exitCode = 1
  } finally {
    await gateway.stop()
  }
}
await upstream.close()
