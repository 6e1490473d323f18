import { chunk, done, frame, wholeAnswer } from './answers.ts'
import { type Act, close, end, hang, opening, reset, sse, writing } from './attempt.ts'
import type { Fault } from './faults.ts'

const error = { message: 'The model fell over.', type: 'server_error', param: null, code: null }
const json = { 'content-type': 'application/json' }
const page = '<!doctype html><html><body><h1>Bad Gateway</h1></body></html>'

const answer =
  (status: number, body: string, headers: Readonly<Record<string, string>> = json): Act =>
  ({ response }) =>
    response.writeHead(status, headers).end(body)

/** Sends a share of a whole answer. `headers` may promise more bytes. */
const partOf =
  (headers: (length: number) => Readonly<Record<string, string>>, share: number, then: Act): Act =>
  async (attempt) => {
    const body = wholeAnswer(attempt.answer)
    const part = body.slice(0, Math.ceil(body.length * share))
    attempt.response.writeHead(200, { ...json, ...headers(part.length) })
    await new Promise<void>((written) => attempt.response.write(part, () => written()))
    await then(attempt)
  }

const untold = () => ({})
const ways = ['whole', 'stream'] as const
const whole = ['whole'] as const
const stream = ['stream'] as const

/** Faults that a retry can hide, because nothing has been sent to the client. */
export const beforeContent: readonly Fault[] = [
  { name: 'connection refused', when: 'before', ways },
  { name: 'reset before headers', when: 'before', ways, act: reset },
  { name: 'closed before headers', when: 'before', ways, act: close },
  { name: 'never answers', when: 'before', ways, act: () => {} },
  { name: '500', when: 'before', ways, act: answer(500, JSON.stringify({ error })) },
  { name: '502 with a web page', when: 'before', ways, act: answer(502, page, { 'content-type': 'text/html' }) },
  { name: '503', when: 'before', ways, act: answer(503, JSON.stringify({ error })) },
  {
    name: '429, retry-after 0',
    when: 'before',
    ways,
    act: answer(429, JSON.stringify({ error: { ...error, message: 'Slow down.' } }), { ...json, 'retry-after': '0' }),
  },
  { name: 'empty 200', when: 'before', ways, act: answer(200, '') },
  { name: '200 with a web page', when: 'before', ways, act: answer(200, page, { 'content-type': 'text/html' }) },
  { name: '200 with an error', when: 'before', ways, act: answer(200, JSON.stringify({ error })) },
  { name: 'malformed JSON', when: 'before', ways: whole, act: answer(200, '{"choices":[{"message":{content:"x"}}]}') },
  { name: 'choices missing', when: 'before', ways: whole, act: answer(200, '{"id":"x","object":"chat.completion"}') },
  { name: 'choices empty', when: 'before', ways: whole, act: answer(200, '{"id":"x","choices":[]}') },
  { name: 'choice that is null', when: 'before', ways: whole, act: answer(200, '{"id":"x","choices":[null]}') },
  { name: 'choice without a message', when: 'before', ways: whole, act: answer(200, '{"choices":[{"index":0}]}') },
  {
    name: 'truncated JSON',
    when: 'before',
    ways: whole,
    act: ({ answer, response }) => response.writeHead(200, json).end(wholeAnswer(answer).slice(0, -20)),
  },
  {
    name: 'content-length beyond a cut body',
    when: 'before',
    ways: whole,
    act: partOf((length) => ({ 'content-length': String(length + 50) }), 0.6, close),
  },
  {
    name: 'content-length beyond a whole body',
    when: 'before',
    ways: whole,
    act: partOf((length) => ({ 'content-length': String(length + 50) }), 1, close),
  },
  { name: 'body without its last chunk', when: 'before', ways: whole, act: partOf(untold, 1, close) },
  { name: 'reset in the body', when: 'before', ways: whole, act: partOf(untold, 0.5, reset) },
  { name: 'hang in the body', when: 'before', ways: whole, act: partOf(untold, 0.5, () => {}) },
  {
    name: 'headers, then hang',
    when: 'before',
    ways: stream,
    act: (attempt) => hang({ ...attempt, response: attempt.response.writeHead(200, sse) }),
  },
  { name: 'role, then hang', when: 'before', ways: stream, act: opening(() => {}) },
  { name: 'role, then end', when: 'before', ways: stream, act: opening(end) },
  { name: 'role, then [DONE]', when: 'before', ways: stream, act: opening(writing(() => [done], end)) },
  { name: 'role, then reset', when: 'before', ways: stream, act: opening(reset) },
  { name: 'role, then close', when: 'before', ways: stream, act: opening(close) },
  { name: 'first event an error', when: 'before', ways: stream, act: answer(200, frame({ error }), sse) },
  { name: 'first event named error', when: 'before', ways: stream, act: answer(200, named(), sse) },
  { name: 'role, then an error', when: 'before', ways: stream, act: opening(writing(() => [frame({ error })], end)) },
  {
    name: 'first event malformed',
    when: 'before',
    ways: stream,
    act: ({ answer: { number }, response }) =>
      response.writeHead(200, sse).end(frame(chunk(number, 0, { content: 'x' }).slice(6, 60)) + done),
  },
]

function named(): string {
  return `event: error\n${frame(error)}`
}
