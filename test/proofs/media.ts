import { readFileSync, writeFileSync } from 'node:fs'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import type { Config } from '../../src/config/schema.ts'
import { type Measured, npmStart, start } from '../bench/processes.ts'
import { bundle, startWorkerd } from '../bench/workerd.ts'
import { configFile } from '../support/program.ts'

/**
 * Sends uploads of 200 MB through the gateway, as a transcription and as a file that is passed on, to an upstream that
 * reads them at the speed of a network, and measures by how much its memory grows at most.
 */
const megabyte = 1024 * 1024
const size = 200 * megabyte
const allowed = 30 * megabyte

const counted: number[] = []
const upstream = createServer(async (incoming, response) => {
  let bytes = 0
  for await (const chunk of incoming) {
    bytes += (chunk as Buffer).length
    // About 100 MB/s: slower than the client, so that what is not taken has to wait somewhere.
    if (bytes % (4 * megabyte) < (chunk as Buffer).length) await wait(40)
  }
  counted.push(bytes)
  response.writeHead(200, { 'content-type': 'application/json' }).end('{"text":"done","id":"file-1"}')
})
await new Promise<void>((listening) => upstream.listen(0, '127.0.0.1', listening))
const baseURL = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}/v1`
const config: Config = { providers: { p: { type: 'openai-compatible', baseURL } }, passThrough: 'p' }
const key = 'sk-of-the-proof'

/** Peak memory in bytes since the last `reset`. */
function peakOf(pid: number): number {
  const [, kilobytes = '0'] = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return Number(kilobytes) * 1024
}

function reset(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, '5')
}

const head = Buffer.from(
  '--b\r\ncontent-disposition: form-data; name="model"\r\n\r\np/whisper\r\n' +
    '--b\r\ncontent-disposition: form-data; name="file"; filename="a.wav"\r\n\r\n',
)
const tail = Buffer.from('\r\n--b--\r\n')
const block = Buffer.alloc(megabyte, 7)

/** Uploads as fast as it is taken. */
function upload(port: number, path: string, bytes: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const length = head.length + bytes + tail.length
    const headers = {
      authorization: `Bearer ${key}`,
      'content-type': 'multipart/form-data; boundary=b',
      'content-length': length,
    }
    const sending = request({ port, host: '127.0.0.1', path, method: 'POST', headers }, (response) => {
      response.resume().once('end', () => resolve(response.statusCode ?? 0))
    })
    sending.once('error', reject)
    const pour = async () => {
      sending.write(head)
      for (let sent = 0; sent < bytes; sent += block.length) {
        if (!sending.write(block)) await new Promise((drained) => sending.once('drain', drained))
      }
      sending.end(tail)
    }
    void pour()
  })
}

const file = await configFile(config)
const gateways: readonly (() => Promise<Measured>)[] = [
  () =>
    start({
      name: 'Node',
      command: npmStart('--port', '0', '--config', file.path),
      core: undefined,
      env: { SAMEWIRE_KEY: key },
      port: /127\.0\.0\.1:(\d+)/,
    }),
  async () => {
    const built = await bundle('proof-media', 'src/worker.ts')
    return startWorkerd('workerd', built, { SAMEWIRE_KEY: key, SAMEWIRE_CONFIG: JSON.stringify(config) }, null)
  },
]

let failed = false
for (const open of gateways) {
  const gateway = await open()
  try {
    for (const path of ['/v1/files', '/v1/audio/transcriptions']) {
      // Once before, so that code and pools are there already.
      await upload(gateway.port, path, 10 * megabyte)
      reset(gateway.pid)
      const before = peakOf(gateway.pid)
      const status = await upload(gateway.port, path, size)
      const growth = peakOf(gateway.pid) - before
      const good = status === 200 && (counted.at(-1) ?? 0) >= size && growth < allowed
      failed ||= !good
      const told = `${(growth / megabyte).toFixed(1)} MB more memory for ${size / megabyte} MB`
      console.log(`${good ? 'ok  ' : 'FAIL'} ${gateway.name}, ${path}: ${told} (HTTP ${status})`)
    }
  } finally {
    await gateway.stop()
  }
}
upstream.close()
await file.remove()
process.exitCode = failed ? 1 : 0
