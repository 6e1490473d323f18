import { connect } from 'node:net'
import { expect } from 'vitest'
import type { Clock } from '../../src/core/clock.ts'
import { EventReader, type ServerEvent } from '../../src/wire/sse.ts'
import type { RunningGateway } from './gateway.ts'

export interface Reply {
  readonly status: number
  readonly headers: Headers
  readonly text: string
}

export interface WireError {
  readonly message: string
  readonly type: string
  readonly param: string | null
  readonly code: string | null
}

/** A basic chat request, to which a test adds what it needs. */
export function chat(model: string | undefined, more: object = {}): Record<string, unknown> {
  return { ...(model !== undefined && { model }), messages: [{ role: 'user', content: 'hi' }], ...more }
}

export interface AskOptions {
  readonly path?: string
  readonly headers?: Record<string, string>
  readonly signal?: AbortSignal
}

/** Posts `body` (as JSON unless it is a string) and reads the whole response. */
export async function ask(gateway: RunningGateway, body: unknown, options: AskOptions = {}): Promise<Reply> {
  const response = await open(gateway, body, options)
  return { status: response.status, headers: response.headers, text: await response.text() }
}

/** Posts `body` and resolves when the headers arrive; the test reads the rest if it wants to. */
export function open(gateway: RunningGateway, body: unknown, options: AskOptions = {}): Promise<Response> {
  const { path = '/chat/completions', headers = {}, signal } = options
  return fetch(gateway.baseURL + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
    ...(signal && { signal }),
  })
}

/** The events of a response. */
export function eventsOf(text: string): ServerEvent[] {
  const reader = new EventReader()
  return [...reader.read(new TextEncoder().encode(text)), ...reader.end()]
}

/** The text of a chat stream. */
export function wordsOf(text: string): string {
  return eventsOf(text)
    .filter(({ data }) => data !== '[DONE]')
    .map(
      ({ data }) => (JSON.parse(data) as { choices?: { delta?: { content?: string } }[] }).choices?.[0]?.delta?.content,
    )
    .join('')
}

/** The text of a whole chat answer. */
export function contentOf(text: string): string | undefined {
  return (JSON.parse(text) as { choices: { message: { content: string } }[] }).choices[0]?.message.content
}

/** Checks that a response is OpenAI's error envelope with all four keys, and returns the error. */
export function errorOf(reply: Reply): WireError {
  expect(reply.headers.get('content-type')).toBe('application/json')
  const body = JSON.parse(reply.text) as { error: WireError }
  expectEnvelope(body)
  return body.error
}

/** Checks that `body` is `{error: {message, type, param, code}}`. */
export function expectEnvelope(body: unknown): void {
  const text = expect.any(String)
  const textOrNull = expect.toSatisfy((value: unknown) => value === null || typeof value === 'string')
  expect(body).toStrictEqual({ error: { message: text, type: text, param: textOrNull, code: textOrNull } })
  expect((body as { error: WireError }).error.message).not.toBe('')
}

/**
 * Checks that a broken stream ends correctly: its last event is an error, nothing follows, and neither a `[DONE]` nor a
 * finish reason was made up.
 */
export function expectBrokenOff(text: string): WireError {
  expect(text.endsWith('\n\n')).toBe(true)
  const events = eventsOf(text)
  expect(events.map(({ data }) => data)).not.toContain('[DONE]')
  const all = events.map(
    ({ data }) => JSON.parse(data) as { error?: WireError; choices?: { finish_reason?: string }[] },
  )
  expect(all.flatMap(({ choices = [] }) => choices).filter(({ finish_reason }) => finish_reason)).toEqual([])
  expect(all.filter(({ error }) => error)).toHaveLength(1)
  const last = all.at(-1)
  expectEnvelope(last)
  return last?.error as WireError
}

/** Disables model lists, so that a fake upstream sees only the requests. */
export const noLists = { fetch: (() => Promise.reject(new Error('no lists in this test'))) as typeof fetch }

/** A clock on which a short wait (of a retry) ends at once and is recorded, and a long one never ends. */
export function hastyClock(shorterThan = 9_000): Clock & { readonly waits: number[] } {
  const waits: number[] = []
  let now = 1_700_000_000_000
  return {
    waits,
    now: () => now,
    after(ms, action) {
      if (ms >= shorterThan) return () => {}
      waits.push(ms)
      const turn = setImmediate(() => {
        now += ms
        action()
      })
      return () => clearImmediate(turn)
    },
  }
}

/**
 * Runs the event loop until `condition` holds, or the test times out. What lasts longer is looked at once a millisecond:
 * other processes need the core.
 */
export async function until(condition: () => boolean): Promise<void> {
  for (let looks = 0; !condition(); looks++) {
    await new Promise<void>((turn) => (looks < 50 ? setImmediate(turn) : setTimeout(turn, 1)))
  }
}

/** Asks again and again until the answer is what it should be, or the test times out. */
export async function untilAnswer<T>(ask: () => Promise<T>, is: (answer: T) => boolean): Promise<T> {
  for (;;) {
    const answer = await ask()
    if (is(answer)) return answer
    await new Promise((turn) => setTimeout(turn, 5))
  }
}

/** Writes raw bytes to the gateway and reads until the connection closes or `enough` returns true. */
export function raw(
  port: number,
  bytes: string | Uint8Array,
  enough: (received: string) => boolean = () => false,
): Promise<string> {
  return new Promise((resolve) => {
    let received = ''
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes))
    socket.on('data', (data) => {
      received += data.toString('latin1')
      if (enough(received)) socket.destroy()
    })
    socket.on('error', () => {})
    socket.on('close', () => resolve(received))
  })
}

/** Pseudo-random numbers in [0, 1), the same for the same seed. */
export function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}
