import { createServer } from 'node:http'
import { Pool } from 'undici'

/** F, the floor: what a proxy costs that does nothing but set `model`. node:http and undici's `dispatch`. */
const [port = '0', upstream = ''] = process.argv.slice(2)
const pool = new Pool(upstream, { connections: 1024, pipelining: 1, bodyTimeout: 0, headersTimeout: 60_000 })

const server = createServer((request, response) => {
  const parts: Buffer[] = []
  request.on('data', (part: Buffer) => parts.push(part))
  request.on('end', () => {
    const body = JSON.parse(Buffer.concat(parts).toString()) as { model: string }
    body.model = 'bench'
    let abort: ((reason: Error) => void) | undefined
    response.on('close', () => {
      if (!response.writableFinished) abort?.(new Error('the client left'))
    })
    pool.dispatch(
      {
        path: request.url ?? '/',
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
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

server.listen(Number(port), '127.0.0.1', () => {
  const address = server.address()
  console.log(JSON.stringify({ port: typeof address === 'object' ? address?.port : 0 }))
})
