import { createServer } from 'node:http'
import { Pool } from 'undici'

/**
 * F, the floor: the cost of a proxy that only sets `model`, with node:http and undici's `dispatch`. With `splice` it is
 * S, the floor for large requests, which replaces the bytes of the value without parsing the rest.
 */
const [port = '0', upstream = '', how] = process.argv.slice(2)
const model = Buffer.from('bench')
const setModel = how === 'splice' ? splice : rewrite
const pool = new Pool(upstream, { connections: 1024, pipelining: 1, bodyTimeout: 0, headersTimeout: 60_000 })

const server = createServer((request, response) => {
  const parts: Buffer[] = []
  request.on('data', (part: Buffer) => parts.push(part))
  request.on('end', () => {
    const body = setModel(Buffer.concat(parts))
    let abort: ((reason: Error) => void) | undefined
    response.on('close', () => {
      if (!response.writableFinished) abort?.(new Error('the client left'))
    })
    pool.dispatch(
      {
        path: request.url ?? '/',
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
      },
      {
        onRequestStart(controller) {
          abort = (reason) => controller.abort(reason)
        },
        onResponseStart(_controller, status, headers) {
          response.writeHead(status, headers as Record<string, string>)
        },
        onResponseData(controller, chunk) {
          if (response.write(chunk)) return
          controller.pause()
          response.once('drain', () => controller.resume())
        },
        onResponseEnd() {
          response.end()
        },
        onResponseError() {
          response.destroy()
        },
      },
    )
  })
})

function rewrite(bytes: Buffer): string {
  const body = JSON.parse(bytes.toString()) as { model: string }
  body.model = 'bench'
  return JSON.stringify(body)
}

/** Works for the benchmark's own bodies, with one `"model"` whose value has no escapes. */
function splice(bytes: Buffer): Buffer {
  const start = bytes.indexOf('"', bytes.indexOf('"model"') + '"model"'.length) + 1
  return Buffer.concat([bytes.subarray(0, start), model, bytes.subarray(bytes.indexOf('"', start))])
}

server.listen(Number(port), '127.0.0.1', () => {
  const address = server.address()
  console.log(JSON.stringify({ port: typeof address === 'object' ? address?.port : 0 }))
})
