import { memoryOf, npmStart, start } from '../bench/processes.ts'
import { configFile } from '../support/program.ts'
import { uploadInSlivers } from '../support/slivers.ts'
import { chatAnswer, fakeUpstream, json } from '../support/upstream.ts'

/**
 * `npm run proof:uploads`: measures the memory for an upload of 50 MB in chunks of one byte, when it is accepted and
 * when it is refused as too large. The peak may exceed the memory before the upload by twice the limit.
 */
const limit = Number(process.argv[2] ?? 50) * 1024 * 1024
const head = '{"model": "lab/m", "messages": [{"role": "user", "content": "hi"}]'
const uploads = [
  { name: 'taken', filler: limit - 1_000, status: 200 },
  { name: 'refused', filler: limit + 1_000, status: 413 },
]

async function main(): Promise<void> {
  const upstream = await fakeUpstream(json(200, chatAnswer('done')))
  try {
    for (const upload of uploads) await measure(upload, upstream.url)
  } finally {
    await upstream.close()
  }
}

async function measure({ name, filler, status }: (typeof uploads)[number], url: string): Promise<void> {
  const config = await configFile({
    bodyLimit: limit,
    providers: { lab: { type: 'openai-compatible', baseURL: `${url}/v1` } },
  })
  const command = npmStart('--port', '0', '--config', config.path)
  const gateway = await start({ name: 'samewire', command, core: undefined, port: /listens on http:\S+:(\d+)/ })
  const { port, pid } = gateway
  try {
    await uploadInSlivers(port, { head, tail: '}' })
    const before = memoryOf(pid).now
    const started = performance.now()
    const answer = await uploadInSlivers(port, { head, filler, tail: '}' })
    const most = memoryOf(pid).peak - before
    const share = (most * 1024 * 1024) / limit
    const held = answer.startsWith(`HTTP/1.1 ${status}`) && share <= 2
    const seconds = ((performance.now() - started) / 1000).toFixed(0)
    console.log(
      `${name.padEnd(8)} ${answer.slice(0, 12)} after ${seconds} s: ${most.toFixed(0)} MB above the ${before.toFixed(0)} MB before, ${share.toFixed(2)} times the limit: ${held ? 'held' : 'NOT HELD'}`,
    )
    if (!held) process.exitCode = 1
  } finally {
    await gateway.stop()
    await config.remove()
  }
}

await main()
