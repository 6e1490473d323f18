import { createServer } from 'node:http'

/**
 * Takes OTLP in a process of its own: counts the spans and their bytes by the first part of the path, which is whoever sends
 * them, and tells the counts of one at `GET /name`.
 */
const counts = new Map<string, { spans: number; requests: number; bytes: number }>()
const mark = Buffer.from('"spanId"')

const server = createServer((request, response) => {
  const name = request.url?.split('/')[1] ?? ''
  const counted = counts.get(name) ?? { spans: 0, requests: 0, bytes: 0 }
  counts.set(name, counted)
  const parts: Buffer[] = []
  request.on('data', (part: Buffer) => parts.push(part))
  request.on('end', () => {
    response.setHeader('content-type', 'application/json')
    if (request.method === 'GET') return response.end(JSON.stringify(counted))
    const body = Buffer.concat(parts)
    counted.requests++
    counted.bytes += body.length
    for (let at = body.indexOf(mark); at >= 0; at = body.indexOf(mark, at + 1)) counted.spans++
    return response.end('{}')
  })
})

server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  console.log(JSON.stringify({ port: typeof address === 'object' ? address?.port : 0 }))
})
