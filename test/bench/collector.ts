import { createServer } from 'node:http'

/**
 * Takes OTLP in a process of its own, metrics too: counts the spans and their bytes by the first part of the path, which is whoever sends
 * them, and tells the counts of one at `GET /name`.
 */
const counts = new Map<string, { spans: number; requests: number; bytes: number }>()

const server = createServer((request, response) => {
  const [, name = '', ...what] = request.url?.split('/') ?? []
  const counted = counts.get(name) ?? { spans: 0, requests: 0, bytes: 0 }
  counts.set(name, counted)
  const parts: Buffer[] = []
  request.on('data', (part: Buffer) => parts.push(part))
  request.on('end', () => {
    const isJSON = request.headers['content-type'] !== 'application/x-protobuf'
    response.setHeader('content-type', isJSON ? 'application/json' : 'application/x-protobuf')
    if (request.method === 'GET') return response.end(JSON.stringify(counted))
    if (what.join('/') === 'v1/traces') {
      const body = Buffer.concat(parts)
      counted.requests++
      counted.bytes += body.length
      counted.spans += isJSON ? spansInJSON(body) : spansIn(body)
    }
    return response.end(isJSON ? '{}' : undefined)
  })
})

function spansInJSON(body: Buffer): number {
  return body.toString('latin1').split('"spanId"').length - 1
}

/** Of protobuf: what is in the second field of the second field of the first one. */
function spansIn(body: Buffer): number {
  return parts(body, 0x0a)
    .flatMap((resource) => parts(resource, 0x12))
    .flatMap((scope) => parts(scope, 0x12)).length
}

/** The parts of a message with a tag; all of its parts have a length. */
function parts(message: Buffer, tag: number): Buffer[] {
  const found: Buffer[] = []
  for (let at = 0; at < message.length; ) {
    const has = message[at++]
    let length = 0
    for (let shift = 0; ; shift += 7) {
      const byte = message[at++] ?? 0
      length |= (byte & 0x7f) << shift
      if (byte < 0x80) break
    }
    if (has === tag) found.push(message.subarray(at, at + length))
    at += length
  }
  return found
}

server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  console.log(JSON.stringify({ port: typeof address === 'object' ? address?.port : 0 }))
})
