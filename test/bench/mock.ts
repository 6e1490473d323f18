import { createServer, type ServerResponse } from 'node:http'
import { writePaced } from './pacer.ts'
import type { Pace } from './requests.ts'

/**
 * The upstream of the benchmark, in its own process. The path determines the answer: `/v1/chat/completions` returns 1.1
 * KB, or a paced stream if the request has `"stream":true`; `/api/chat` returns the same stream in Ollama's format. The
 * pace is in a message, because gateways may drop headers.
 */
const [port = '0'] = process.argv.slice(2)

const answer = Buffer.from(
  JSON.stringify({
    id: 'chatcmpl-bench',
    object: 'chat.completion',
    created: 1_700_000_000,
    model: 'bench',
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content: 'x'.repeat(800), refusal: null },
        logprobs: null,
        finish_reason: 'stop',
      },
    ],
    usage: { prompt_tokens: 400, completion_tokens: 200, total_tokens: 600 },
  }),
)

const head = '{"id":"chatcmpl-bench","object":"chat.completion.chunk","created":1700000000,"model":"bench","choices":'
const frames = {
  role: `data: ${head}[{"index":0,"delta":{"role":"assistant","content":""},"logprobs":null,"finish_reason":null}]}\n\n`,
  finish: `data: ${head}[{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}]}\n\n`,
  usage: `data: ${head}[],"usage":{"prompt_tokens":400,"completion_tokens":200,"total_tokens":600}}\n\ndata: [DONE]\n\n`,
}

const server = createServer((request, response) => {
  const parts: Buffer[] = []
  request.on('data', (part: Buffer) => parts.push(part))
  request.on('end', () => {
    const body = Buffer.concat(parts)
    const streams = body.includes('"stream":true')
    if (request.url?.endsWith('/models')) response.writeHead(404).end()
    else if (request.url?.startsWith('/api/')) void lines(response, paceIn(body))
    else if (streams) void events(response, paceIn(body))
    else response.writeHead(200, { 'content-type': 'application/json', 'content-length': answer.length }).end(answer)
  })
})

/** Parses the pace that `pacedText` wrote. */
function paceIn(body: Buffer): Pace {
  const [, step, chunks] = /pace=(\d+) chunks=(\d+)/.exec(body.toString('latin1')) ?? []
  return { step: Number(step), chunks: Number(chunks) }
}

async function events(response: ServerResponse, pace: Pace): Promise<void> {
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  response.write(frames.role)
  await writePaced(
    response,
    pace,
    (stamp) => `data: ${head}[{"index":0,"delta":{"content":"${stamp}"},"logprobs":null,"finish_reason":null}]}\n\n`,
  )
  response.write(frames.finish)
  response.end(frames.usage)
}

async function lines(response: ServerResponse, pace: Pace): Promise<void> {
  const start =
    '{"model":"bench","created_at":"2026-11-23T02:58:27.673367424Z","message":{"role":"assistant","content":'
  response.writeHead(200, { 'content-type': 'application/x-ndjson' })
  await writePaced(response, pace, (stamp) => `${start}"${stamp}"},"done":false}\n`)
  response.end(`${start}""},"done":true,"done_reason":"stop","prompt_eval_count":400,"eval_count":200}\n`)
}

server.listen(Number(port), '127.0.0.1', () => {
  const address = server.address()
  console.log(JSON.stringify({ port: typeof address === 'object' ? address?.port : 0 }))
})
