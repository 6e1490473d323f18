import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'

/** A request as an upstream saw it. */
export interface Seen {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** Resolves when the gateway closed the connection before the answer was complete. */
  readonly abandoned: Promise<void>
}

export type Script = (request: Seen, response: ServerResponse, socket: Socket) => unknown

/**
 * A real HTTP server that runs one script per request, in order, and repeats the last one. It uses real sockets, so
 * that resets, partial answers and silence are those of the network.
 */
export interface FakeUpstream {
  readonly url: string
  readonly seen: Seen[]
  script(...scripts: Script[]): void
  close(): Promise<void>
}

export async function fakeUpstream(...scripts: Script[]): Promise<FakeUpstream> {
  let queue = [...scripts]
  const seen: Seen[] = []
  const server = createServer(async (request, response) => {
    const body = await readBody(request)
    const abandoned = new Promise<void>((resolve) => {
      response.once('close', () => {
        if (!response.writableFinished) resolve()
      })
    })
    const { method = '', url: path = '' } = request
    const entry = { method, path, headers: request.headers as Record<string, string>, body, abandoned }
    seen.push(entry)
    const script = queue.length > 1 ? queue.shift() : queue[0]
    if (!script) response.writeHead(500).end('no script')
    else await played(script, entry, response, request.socket)
  })
  // Where the machine stands still for the five seconds that it has otherwise, it would close what a gateway writes to.
  server.keepAliveTimeout = 0
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    script(...next) {
      queue = [...next]
    },
    close: () =>
      new Promise((closed) => {
        server.close(() => closed())
        server.closeAllConnections()
      }),
  }
}

/** A script that fails, such as one that reads the body of a request for the models, is a 500, not the end of the run. */
async function played(script: Script, request: Seen, response: ServerResponse, socket: Socket): Promise<void> {
  try {
    await script(request, response, socket)
  } catch (error) {
    if (response.headersSent) return void response.destroy()
    response.writeHead(500).end(`the script failed: ${error}`)
  }
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8')
}

/** Answers with JSON. */
export const json =
  (status: number, body: unknown, headers: Record<string, string> = {}): Script =>
  (_request, response) =>
    response
      .writeHead(status, { 'content-type': 'application/json', ...headers })
      .end(typeof body === 'string' ? body : JSON.stringify(body))

/** Answers with any text. */
export const text =
  (status: number, body: string, type = 'text/plain'): Script =>
  (_request, response) =>
    response.writeHead(status, { 'content-type': type }).end(body)

/** Streams the pieces, one write each; `after` is what follows: a clean end, a reset, or silence. */
export const stream =
  (
    pieces: readonly (string | Uint8Array)[],
    after: 'end' | 'reset' | 'silence' = 'end',
    type = 'text/event-stream',
  ): Script =>
  async (_request, response, socket) => {
    response.writeHead(200, { 'content-type': type })
    response.flushHeaders()
    for (const piece of pieces) {
      await new Promise<void>((written) => response.write(piece, () => written()))
      // One turn of the event loop each, so that every piece is a separate chunk on the wire.
      await new Promise((turn) => setImmediate(turn))
    }
    if (after === 'end') response.end()
    else if (after === 'reset') socket.resetAndDestroy()
  }

/** Resets the connection before any answer. */
export const reset: Script = (_request, _response, socket) => socket.resetAndDestroy()

/** Accepts the request and never answers. */
export const silence: Script = () => {}

const base = { id: 'chatcmpl-fake', object: 'chat.completion.chunk', created: 1_700_000_000, model: 'fake-model' }

/** A chat chunk as an event. */
export function chunk(delta: unknown, finish: string | null = null): string {
  return `data: ${JSON.stringify({ ...base, choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`
}

/** A whole stream in OpenAI's format that contains `words`. */
export function chatFrames(...words: string[]): string[] {
  return [
    chunk({ role: 'assistant', content: '' }),
    ...words.map((content) => chunk({ content })),
    chunk({}, 'stop'),
    'data: [DONE]\n\n',
  ]
}

/** Log probabilities in OpenAI's format, as if `text` were one token. */
export function tokenLogprobs(text: string): { readonly content: readonly object[]; readonly refusal: null } {
  return { content: [{ token: text, logprob: -0.5, bytes: null, top_logprobs: [] }], refusal: null }
}

/** A whole answer in OpenAI's format. */
export function chatAnswer(content: string, model = 'fake-model', logprobs: object | null = null): object {
  return {
    id: 'chatcmpl-fake',
    object: 'chat.completion',
    created: 1_700_000_000,
    model,
    choices: [{ index: 0, message: { role: 'assistant', content, refusal: null }, logprobs, finish_reason: 'stop' }],
    usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
  }
}

/** A whole answer with a call of each of these tools. */
export function callAnswer(...names: readonly string[]): object {
  const calls = names.map((name, at) => ({
    id: `call_${at}`,
    type: 'function',
    function: { name, arguments: '{}' },
  }))
  const message = { role: 'assistant', content: null, refusal: null, tool_calls: calls }
  return { ...chatAnswer(''), choices: [{ index: 0, message, logprobs: null, finish_reason: 'tool_calls' }] }
}
