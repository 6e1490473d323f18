import type { ServerResponse } from 'node:http'
import { type Delivery, type MadeUp, parseExchange } from './exchange.ts'
import { randomCuts, recorded, recordedCase } from './replay.ts'
import { type FakeUpstream, fakeUpstream, type Seen } from './upstream.ts'

/** Headers of the recorded connection, not of the answer. */
const hopByHop = ['connection', 'keep-alive', 'transfer-encoding', 'content-length', 'date']

/**
 * All recorded servers, and made-up ones, on one port: the path names the exchange (`exchangePath`). A GET below an
 * exchange with a recorded server returns that server's list of models.
 *
 * `GET /seen/{tag}` returns the requests with that tag, without the looks at a list, which the gateway takes by itself;
 * `GET /seen/{tag}/abandoned` answers when the client has abandoned the last of them, and `GET /seen/{tag}/go` has those
 * go on that wait.
 */
export async function exchangeServer(): Promise<FakeUpstream> {
  const upstream = await fakeUpstream()
  const waiting = new Map<string, PromiseWithResolvers<void>>()
  const waitFor = (tag: string) => {
    const wait = waiting.get(tag) ?? Promise.withResolvers<void>()
    waiting.set(tag, wait)
    return wait
  }
  const tagged = (tag: string) =>
    upstream.seen.filter(
      ({ method, path }) => method === 'POST' && /^\/[^/]+\/[^/]+\/as-/.test(path) && tagOf(path) === tag,
    )

  upstream.script(async (request, response) => {
    const [, first, tag = '', what] = request.path.split('/')
    if (first === 'seen') {
      const seen = tagged(tag)
      if (what === 'go') waitFor(tag).resolve()
      if (what === 'abandoned') await seen.at(-1)?.abandoned
      return sendJson(response, seen)
    }
    const { exchange, rest } = parseExchange(request.path)
    const { answer, delivery = {} } = exchange
    const goOn = delivery.tag === undefined ? undefined : waitFor(delivery.tag).promise
    if ('status' in answer) return await deliver(response, answer, delivery, goOn)
    const [server, label] = answer
    const list = request.method === 'GET' || rest === '/api/show' ? listCase(rest) : undefined
    if (list && !recorded(server).some((entry) => entry.label === list)) return response.writeHead(404).end()
    const { status, headers, body } = recordedCase(server, list ?? label).response
    const kept = Object.entries(headers).filter(([name]) => !hopByHop.includes(name.toLowerCase()))
    return await deliver(response, { status, headers: Object.fromEntries(kept), body }, list ? {} : delivery, goOn)
  })
  return upstream
}

function tagOf(path: string): string | undefined {
  return parseExchange(path).exchange.delivery?.tag
}

/** The label under which the list at this path was recorded. */
function listCase(path: string): string | undefined {
  if (path.endsWith('/models')) return 'models'
  return { '/api/tags': 'tags', '/api/show': 'show' }[path]
}

async function deliver(
  response: ServerResponse,
  answer: MadeUp,
  delivery: Delivery,
  goOn?: Promise<void>,
): Promise<void> {
  const { cut, after } = delivery
  const whole = Buffer.from(edited(answer.body, delivery))
  const bytes = after ? whole.subarray(0, after.bytes) : whole
  response.writeHead(answer.status, answer.headers ?? { 'content-type': 'application/json' })
  response.flushHeaders()
  for (const piece of piecesOf(bytes, cut)) {
    await new Promise<void>((written) => response.write(piece, () => written()))
    // One turn of the event loop each, so that every piece is a separate chunk on the wire.
    await new Promise((turn) => setImmediate(turn))
  }
  if (!after || after.what === 'end') response.end()
  // Not a reset, so that the earlier bytes surely arrive. The last chunk is never sent.
  else if (after.what === 'break') response.socket?.end()
  else if (after.what === 'drip') drip(response)
  else void goOn?.then(() => response.end(whole.subarray(after.bytes)))
}

function drip(response: ServerResponse): void {
  const timer = setInterval(() => response.write(': more\n\n'), 20)
  response.on('close', () => clearInterval(timer))
}

function piecesOf(bytes: Buffer, cut: Delivery['cut']): Buffer[] {
  if (cut === undefined) return bytes.length > 0 ? [bytes] : []
  if (cut === 'every byte') return Array.from(bytes, (_, at) => bytes.subarray(at, at + 1))
  return randomCuts(cut)(bytes)
}

/** The same events (or lines, if there are no events), in a different format. */
function edited(body: string, { lineEnds, between, first, done }: Delivery): string {
  const lines = !body.includes('data: ')
  let text = body
  if (first === 'null') text = `data: null\n\n${text}`
  if (between === 'comments')
    text = lines ? text.replaceAll('\n', '\n\n') : text.replaceAll('\n\ndata', '\n\n: ping\n\ndata')
  if (done === 'missing') text = text.replace(/data: \[DONE\]\s*$/, '')
  if (done === 'without a blank line') text = text.trimEnd()
  return lineEnds === 'CRLF' ? text.replaceAll('\n', '\r\n') : text
}

function sendJson(response: ServerResponse, seen: readonly Seen[]): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(seen))
}
