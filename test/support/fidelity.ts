import { Agent, createServer, type IncomingMessage, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Config } from '../../src/config/schema.ts'
import { seeded } from './ask.ts'
import { bodyOf, list, longText, member, pickFrom, type Random, several, strings, value } from './bodies.ts'
import { randomCuts } from './replay.ts'

/** One exchange, known in advance: what the client sends, what must reach the upstream, and the answer. */
export interface Exchange {
  readonly number: number
  readonly path: string
  readonly streams: boolean
  readonly request: Buffer
  /** What the upstream must receive. */
  readonly arrives: Buffer
  /** What the upstream answers and the client must receive. */
  readonly answer: Buffer
}

/** The gateway's configuration. The model's name contains the exchange's number. */
export function fidelityConfig(upstream: string): Config {
  return {
    providers: { lab: { type: 'openai-compatible', baseURL: `${upstream}/v1` } },
    models: { 'in-*': 'lab/out-*' },
  }
}

/** Generates an exchange; the same one for the same number. */
export function exchangeOf(number: number): Exchange {
  const random = randomOf(number)
  const streams = random() < 0.5
  const legacy = random() < 0.1
  const rest = `${number}-${pickFrom(['', '日本', '👩‍👩‍👧', 'a"b\\', 'x/y', 'model', '{}', '*'], random)}`
  const direct = random() < 0.3
  const asked = direct ? `lab/out-${rest}` : `in-${rest}`
  const inPath = random() < 0.05
  const members = [...someMembers(random), ...several(1, random, () => member('messages', '5', random))]
  const last = [...someMembers(random), ...payload(random, legacy)]
  if (streams) members.push(member('stream', 'true', random))
  const spelled = inPath ? '"in-another"' : spell(asked, random)
  const { before, name, after } = bodyOf(shuffled(members, random), spelled, last, random)
  const operation = legacy ? 'completions' : 'chat/completions'
  return {
    number,
    path: inPath ? `/v1/engines/${encodeURIComponent(asked)}/${operation}` : `/v1/${operation}`,
    streams,
    request: Buffer.from(before + name + after),
    arrives: Buffer.from(`${before}${JSON.stringify(`out-${rest}`)}${after}`),
    answer: Buffer.from(streams ? someStream(random, legacy) : someAnswer(random, legacy)),
  }
}

/** Multiplied, since adjacent seeds would give similar first values. */
function randomOf(number: number): Random {
  const random = seeded(Math.imul(number + 1, 0x9e3779b1))
  for (let turn = 0; turn < 3; turn++) random()
  return random
}

function shuffled<T>(items: readonly T[], random: Random): T[] {
  return items
    .map((item) => [random(), item] as const)
    .sort(([a], [b]) => a - b)
    .map(([, item]) => item)
}

const keys = ['user', 'модель', 'metadata', 'a\\"b', 'x\\\\', '\\u006dodal', '__proto__', 'modelle', 'mod', '', 'Error']
const settings = [
  '"seed":9007199254740993',
  '"temperature":0.10000000000000000555',
  '"max_tokens":1E2',
  '"n":1',
  '"top_p":1.0',
  '"stop":["\\n","\\u0000"]',
  '"logit_bias":{"50256":-100}',
  '"tools":[{"type":"function","function":{"name":"model","parameters":{"properties":{"model":{"const":1e400}}}}}]',
]

function someMembers(random: Random): string[] {
  return several(4, random, () =>
    random() < 0.2 ? pickFrom(settings, random) : member(pickFrom(keys, random), value(random, 3), random),
  )
}

/** What every request must have: messages, or a prompt. One in twelve is large. */
function payload(random: Random, legacy: boolean): string[] {
  const text = () => (random() < 0.04 ? `"${longText(random, 4000)}"` : pickFrom(strings, random))
  if (legacy) return [member('prompt', text(), random)]
  const part = () => list('{}', ['"type":"text"', member('text', text(), random), ...someMembers(random)], random)
  const content = () => (random() < 0.3 ? list('[]', [part(), ...several(2, random, part)], random) : text())
  const message = () => list('{}', [member('content', content(), random), member('role', '"user"', random)], random)
  return [member('messages', list('[]', [message(), ...several(2, random, message)], random), random)]
}

/** A text as JSON, with some characters escaped needlessly. */
function spell(text: string, random: Random): string {
  if (random() < 0.7) return JSON.stringify(text)
  const escaped = (character: string) =>
    character
      .split('')
      .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
      .join('')
  const letters = [...text].map((letter) => (random() < 0.3 || /["\\]/.test(letter) ? escaped(letter) : letter))
  return `"${letters.join('')}"`
}

const noErrors = ['"x":"\\"error\\": none"', '"errors":[]', '"y":{"error":{"message":"m"}}']

/** Extra members of an answer, some of which look like an error but are not. */
function aside(random: Random): string[] {
  return [...someMembers(random), ...several(1, random, () => pickFrom(noErrors, random))]
}

/** What every client needs: an answer without it is not carried but repaired. */
function head(kind: string): readonly string[] {
  return ['"id":"x-1"', `"object":"${kind}"`, '"created":1700000000', '"model":"m"']
}

function someAnswer(random: Random, legacy: boolean): string {
  const text = random() < 0.05 ? `"${longText(random)}"` : pickFrom(strings, random)
  const said = legacy
    ? member('text', text, random)
    : `"message":${list('{}', ['"role":"assistant"', member('content', text, random)], random)}`
  const choice = list('{}', shuffled([...aside(random), '"index":0', '"finish_reason":"stop"', said], random), random)
  const known = [...head(legacy ? 'text_completion' : 'chat.completion'), `"choices":[${choice}]`]
  return `${pickFrom(['', ' ', '\n'], random)}${list('{}', [...aside(random), ...known, ...aside(random)], random)}`
}

/** A whole stream: content, finish reason and end. */
function someStream(random: Random, legacy: boolean): string {
  // Lines that end in CR alone don't stay so.
  const ends = pickFrom([['\n'], ['\n'], ['\r\n'], ['\n', '\r\n']], random)
  const end = () => pickFrom(ends, random)
  const data = (text: string) => `data: ${text.replace(/\s*[\r\n]\s*/g, ' ')}${end()}`
  const decoration = () => pickFrom([': a word', ':', 'id: 7', 'retry: 10', 'unknown'], random) + end()
  const event = (text: string) => several(1, random, decoration).join('') + data(text) + end()
  const choice = (finish: string, text: string) => {
    const said = legacy
      ? member('text', text, random)
      : `"delta":${list('{}', ['"role":"assistant"', member('content', text, random)], random)}`
    return list('{}', ['"index":0', said, `"finish_reason":${finish}`, ...aside(random)], random)
  }
  const known = head(legacy ? 'text_completion' : 'chat.completion.chunk')
  const chunk = (choices: string) =>
    event(list('{}', [...aside(random), ...known, `"choices":[${choices}]`, ...aside(random)], random))
  const long = () => `"${longText(random, 4000)}"`
  const words = () => (random() < 0.01 ? long() : pickFrom(strings, random))
  const noise = () =>
    pickFrom([`: keep-alive${end()}${end()}`, end(), event(list('{}', [...known, '"choices":[]'], random))], random)
  const usage = () =>
    event(list('{}', [...known, '"choices":[]', '"usage":{"total_tokens":9007199254740993}', ...aside(random)], random))
  return [
    ...several(2, random, noise),
    chunk(choice('null', '""')),
    ...several(6, random, () => (random() < 0.2 ? noise() : chunk(choice('null', words())))),
    chunk(choice('"stop"', '"."')),
    ...several(1, random, usage),
    event('[DONE]'),
  ].join('')
}

/** A real upstream that answers each exchange as defined, in pieces, and keeps the requests. */
export interface FidelityUpstream {
  readonly url: string
  /** Returns and forgets the request that arrived for an exchange. */
  take(number: number): Buffer | undefined
  close(): Promise<void>
}

export async function fidelityUpstream(): Promise<FidelityUpstream> {
  const arrived = new Map<number, Buffer>()
  const server = createServer(async (incoming, response) => {
    const bytes = await read(incoming)
    const number = numberIn(bytes)
    if (number === undefined) return response.writeHead(404).end()
    arrived.set(number, bytes)
    const { answer, streams } = exchangeOf(number)
    const type = streams ? 'text/event-stream; charset=utf-8' : 'application/json'
    const told = !streams && number % 2 === 0 ? { 'content-length': String(answer.length) } : {}
    response.writeHead(200, { 'content-type': type, ...told })
    await writeCut(response, answer, number)
    return response.end()
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    take(number) {
      const bytes = arrived.get(number)
      arrived.delete(number)
      return bytes
    },
    close: () =>
      new Promise((closed) => {
        server.close(() => closed())
        server.closeAllConnections()
      }),
  }
}

function numberIn(bytes: Buffer): number | undefined {
  try {
    const { model } = JSON.parse(bytes.toString()) as { model: string }
    return Number(/^out-(\d+)-/.exec(model)?.[1])
  } catch {
    return undefined
  }
}

async function read(stream: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = []
  for await (const piece of stream) pieces.push(piece as Buffer)
  return Buffer.concat(pieces)
}

/** Writes in pieces of any size, down to one byte; most are sent separately. */
async function writeCut(to: { write(bytes: Uint8Array): boolean }, bytes: Buffer, number: number): Promise<void> {
  const random = randomOf(number)
  const few = Math.ceil(bytes.length / (1 + random() * 30))
  for (const piece of randomCuts(number, Math.max(few, 1))(bytes)) {
    to.write(piece)
    if (random() < 0.7) await new Promise((turn) => setImmediate(turn))
  }
}

export interface Sending {
  readonly port: number
  readonly key?: string
  readonly upstream: FidelityUpstream
}

/** Sends the exchanges from `from` up to `to`, `lanes` at a time, and returns the differences. */
export async function compare(from: number, to: number, sending: Sending, lanes = 16): Promise<string[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: lanes })
  const failures: string[] = []
  let next = from
  const lane = async () => {
    while (next < to && failures.length < 10) {
      const exchange = exchangeOf(next++)
      const { status, bytes } = await send(exchange, sending, agent).catch((error) => ({
        status: 0,
        bytes: Buffer.from(String(error)),
      }))
      const arrived = sending.upstream.take(exchange.number)
      const request = arrived
        ? difference(exchange.arrives, arrived)
        : `refused with ${status}: ${bytes.subarray(0, 300)}`
      const answer = difference(exchange.answer, bytes)
      if (request !== undefined) failures.push(`exchange ${exchange.number}, request: ${request}`)
      else if (answer !== undefined) failures.push(`exchange ${exchange.number}, answer (${status}): ${answer}`)
    }
  }
  await Promise.all(Array.from({ length: lanes }, lane))
  agent.destroy()
  return failures
}

function send(exchange: Exchange, { port, key }: Sending, agent: Agent): Promise<{ status: number; bytes: Buffer }> {
  return new Promise((resolve, reject) => {
    const { number, path, request: bytes } = exchange
    const told = number % 3 > 0 ? { 'content-length': String(bytes.length) } : {}
    const authorization = key === undefined ? {} : { authorization: `Bearer ${key}` }
    const headers = { 'content-type': 'application/json', ...told, ...authorization }
    const outgoing = request({ port, host: '127.0.0.1', path, method: 'POST', agent, headers, timeout: 30_000 })
    outgoing.on('timeout', () => outgoing.destroy(new Error('no answer')))
    outgoing.on('error', reject)
    outgoing.on('response', (incoming) => {
      read(incoming).then((all) => resolve({ status: incoming.statusCode ?? 0, bytes: all }), reject)
    })
    void writeCut(outgoing, bytes, number).then(() => outgoing.end())
  })
}

/** Where two texts differ, or undefined if they are the same. */
function difference(expected: Buffer, got: Buffer): string | undefined {
  if (expected.equals(got)) return undefined
  let at = 0
  while (at < expected.length && expected[at] === got[at]) at++
  const around = (bytes: Buffer) => JSON.stringify(bytes.subarray(Math.max(0, at - 30), at + 60).toString())
  return `at byte ${at} of ${expected.length} (${got.length} came): ${around(expected)} came as ${around(got)}`
}
