import { setTimeout as wait } from 'node:timers/promises'
import { type Act, close, end, hang, json, opening, openStream, partOf, reset, writing } from './attempt.ts'
import type { Fault } from './faults.ts'
import { frame } from './wires.ts'

const page = '<!doctype html><html><body><h1>Bad Gateway</h1></body></html>'
const oops = 'The model fell over.'

const ways = ['whole', 'stream'] as const
const whole = ['whole'] as const
const stream = ['stream'] as const
/** Wires with events. */
const sse = ['openai', 'huggingface'] as const

/** A 200 with this body. */
const body =
  (text: string | ((attempt: Parameters<Act>[0]) => string), type = 'application/json'): Act =>
  (attempt) =>
    attempt.response.writeHead(200, { 'content-type': type }).end(typeof text === 'string' ? text : text(attempt))

/** A stream with these events and no more. */
const onlyEvents =
  (frames: (attempt: Parameters<Act>[0]) => readonly string[]): Act =>
  (attempt) => {
    openStream(attempt)
    return writing(frames, end)(attempt)
  }

/** Heartbeats, until the other side gives up. */
const heartbeats: Act = async (attempt) => {
  openStream(attempt)
  while (!attempt.response.destroyed) {
    attempt.response.write(attempt.wire.heartbeat)
    await wait(100)
  }
}

const untold = () => ({})

/** Faults that another try can hide, because nothing has been sent to the client. */
export const beforeContent: readonly Fault[] = [
  { name: 'connection refused', when: 'before', ways },
  { name: 'reset before headers', when: 'before', ways, act: reset },
  { name: 'closed before headers', when: 'before', ways, act: close },
  { name: 'never answers', when: 'before', ways, act: () => {} },
  { name: 'empty 200', when: 'before', ways, act: body('') },
  { name: '200 with a web page', when: 'before', ways, act: body(page, 'text/html') },
  { name: '200 with an error', when: 'before', ways, act: body(({ wire }) => wire.failure(oops)) },
  {
    name: 'malformed JSON',
    when: 'before',
    ways: whole,
    act: body('{"choices":[{"message":{content:"x"}}]}'),
  },
  {
    name: 'choices missing',
    when: 'before',
    ways: whole,
    wires: sse,
    act: body('{"id":"x","object":"chat.completion"}'),
  },
  { name: 'choices empty', when: 'before', ways: whole, wires: sse, act: body('{"id":"x","choices":[]}') },
  { name: 'choice that is null', when: 'before', ways: whole, wires: sse, act: body('{"id":"x","choices":[null]}') },
  { name: 'choice without a message', when: 'before', ways: whole, wires: sse, act: body('{"choices":[{"index":0}]}') },
  {
    name: 'a line of a stream',
    when: 'before',
    ways: whole,
    wires: ['ollama'],
    act: body(({ answer, wire }) => wire.said(answer, 0, 1).join('')),
  },
  {
    name: 'truncated JSON',
    when: 'before',
    ways: whole,
    act: body(({ answer, wire }) => wire.whole(answer).slice(0, -20)),
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
  {
    name: 'content-length short of the body',
    when: 'before',
    ways: whole,
    // Node would refuse to write more than it announced.
    act: ({ answer, wire, socket }) => {
      const text = wire.whole(answer)
      socket.end(`HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 60\r\n\r\n${text}`)
    },
  },
  { name: 'body without its last chunk', when: 'before', ways: whole, act: partOf(untold, 1, close) },
  { name: 'reset in the body', when: 'before', ways: whole, act: partOf(untold, 0.5, reset) },
  { name: 'hang in the body', when: 'before', ways: whole, act: partOf(untold, 0.5, () => {}) },
  {
    name: 'headers, then nothing',
    when: 'before',
    ways,
    act: (attempt) => {
      if (attempt.answer.streams) openStream(attempt)
      else attempt.response.writeHead(200, json)
      return hang(attempt)
    },
  },
  { name: 'empty stream', when: 'before', ways: stream, act: onlyEvents(() => []) },
  { name: 'heartbeats only', when: 'before', ways: stream, act: heartbeats },
  {
    name: 'heartbeats, then end',
    when: 'before',
    ways: stream,
    act: onlyEvents(({ wire }) => [wire.heartbeat, wire.heartbeat]),
  },
  { name: 'role, then hang', when: 'before', ways: stream, act: opening(() => {}) },
  { name: 'role, then end', when: 'before', ways: stream, act: opening(end) },
  {
    name: 'role, then [DONE]',
    when: 'before',
    ways: stream,
    wires: sse,
    act: opening(writing(({ wire }) => wire.done, end)),
  },
  { name: 'role, then reset', when: 'before', ways: stream, act: opening(reset) },
  { name: 'role, then close', when: 'before', ways: stream, act: opening(close) },
  { name: 'first event an error', when: 'before', ways: stream, act: onlyEvents(({ wire }) => [wire.failing(oops)]) },
  {
    name: 'first event named error',
    when: 'before',
    ways: stream,
    wires: sse,
    act: onlyEvents(() => [`event: error\n${frame({ error: { message: oops } })}`]),
  },
  {
    name: 'role, then an error',
    when: 'before',
    ways: stream,
    act: opening(writing(({ wire }) => [wire.failing(oops)], end)),
  },
  {
    name: 'first event malformed',
    when: 'before',
    ways: stream,
    act: onlyEvents(({ answer, wire }) => [wire.malformed(answer), ...wire.done]),
  },
]
