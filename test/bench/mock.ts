import { createServer, type ServerResponse } from 'node:http'
import { setTimeout as wait } from 'node:timers/promises'

/**
 * The upstream of the benchmark, in a process of its own. The path says what it answers:
 * `/v1/chat/completions` a 1.1 KB answer, or a paced stream when the request says `"stream":true`;
 * `/api/chat` the same stream as Ollama's lines. `x-pace` (milliseconds) and `x-chunks` would be lost on the way, so
 * both stand in the port's arguments.
 */
const [port = '0', pace = '5', chunks = '200'] = process.argv.slice(2)

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
    else if (request.url?.startsWith('/api/')) void lines(response)
    else if (streams) void events(response)
    else response.writeHead(200, { 'content-type': 'application/json', 'content-length': answer.length }).end(answer)
  })
})

async function events(response: ServerResponse): Promise<void> {
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  response.write(frames.role)
  await paced(
    response,
    (stamp) => `data: ${head}[{"index":0,"delta":{"content":"${stamp}"},"logprobs":null,"finish_reason":null}]}\n\n`,
  )
  response.write(frames.finish)
  response.end(frames.usage)
}

async function lines(response: ServerResponse): Promise<void> {
  const start =
    '{"model":"bench","created_at":"2026-11-23T02:58:27.673367424Z","message":{"role":"assistant","content":'
  response.writeHead(200, { 'content-type': 'application/x-ndjson' })
  await paced(response, (stamp) => `${start}"${stamp}"},"done":false}\n`)
  response.end(`${start}""},"done":true,"done_reason":"stop","prompt_eval_count":400,"eval_count":200}\n`)
}

/** One write a pace, at its time by the clock: a late one does not delay the next. Each says when it was written. */
async function paced(response: ServerResponse, chunk: (stamp: string) => string): Promise<void> {
  const step = Number(pace)
  const started = performance.now()
  for (let n = 0; n < Number(chunks) && !response.destroyed; n++) {
    const due = started + n * step - performance.now()
    if (due > 0) await wait(due)
    response.write(chunk(stampOf()))
  }
}

/** Microseconds since the machine started: the same clock in every process. */
function stampOf(): string {
  return `t${process.hrtime.bigint() / 1000n} `
}

server.listen(Number(port), '127.0.0.1', () => {
  const address = server.address()
  console.log(JSON.stringify({ port: typeof address === 'object' ? address?.port : 0 }))
})
