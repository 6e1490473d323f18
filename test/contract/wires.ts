import { event as anthropicEvent, block, start, stop } from '../support/anthropic-events.ts'
import type { MadeUp } from '../support/exchange.ts'
import { readGenerated, readMessage, readNative, type Said } from './read.ts'

/** How a server speaks that doesn't speak as OpenAI does. */
export interface Wire {
  /** What a recorded answer says, whole or streamed. */
  read(body: string): Said[]
  /** A stream that says these words, in the pieces that it consists of: one for each word, and then its end. */
  pieces(words: readonly string[]): readonly string[]
  /** A piece that reports a failure for want of memory. */
  readonly failure: string
  readonly streamType: string
  /** Whether readers of its streams pass over an event with nothing but null. */
  readonly hasEvents: boolean
  /** The header that a key goes in. */
  keyHeader(key: string): Readonly<Record<string, string>>
}

export const ollamaWire: Wire = {
  read: readNative,
  pieces: (words) => [...words.map((word) => ollamaLine(word)), ollamaLine('', 'stop')],
  failure: `${JSON.stringify({ error: 'an error was encountered while running the model: out of memory' })}\n`,
  streamType: 'application/x-ndjson',
  hasEvents: false,
  keyHeader: (key) => ({ authorization: `Bearer ${key}` }),
}

export const geminiWire: Wire = {
  read: readGenerated,
  pieces: (words) => [...words.map((text) => geminiEvent(text)), geminiEvent('', 'STOP')],
  failure: event({ error: { code: 500, message: 'out of memory', status: 'INTERNAL' } }),
  streamType: 'text/event-stream',
  hasEvents: true,
  keyHeader: (key) => ({ 'x-goog-api-key': key }),
}

export const anthropicWire: Wire = {
  read: readMessage,
  pieces: (words) => {
    const [opened = '', ...rest] = block(
      0,
      { type: 'text', text: '' },
      ...words.map((text) => ({ type: 'text_delta', text })),
    )
    const said = rest.slice(0, -1)
    const [first = '', ...others] = said
    const end = [...rest.slice(-1), ...stop('end_turn')].join('')
    return said.length === 0 ? [start + opened + end] : [start + opened + first, ...others, end]
  },
  failure: anthropicEvent('error', { error: { type: 'api_error', message: 'out of memory' } }),
  streamType: 'text/event-stream',
  hasEvents: true,
  keyHeader: (key) => ({ 'x-api-key': key, 'anthropic-version': '2023-06-01' }),
}

/** A whole stream of this wire. */
export function streamOf(wire: Wire, words: readonly string[], end: (pieces: readonly string[]) => string): MadeUp {
  return { status: 200, headers: { 'content-type': wire.streamType }, body: end(wire.pieces(words)) }
}

function ollamaLine(content: string, reason?: string): string {
  const model = { model: 'm', created_at: '2026-11-23T02:58:27.678748654Z', message: { role: 'assistant', content } }
  return `${JSON.stringify(reason ? { ...model, done: true, done_reason: reason } : { ...model, done: false })}\n`
}

function geminiEvent(text: string, finishReason?: string): string {
  const candidate = { content: { parts: [{ text }], role: 'model' }, ...(finishReason && { finishReason }), index: 0 }
  return event({ candidates: [candidate], modelVersion: 'm' })
}

function event(value: unknown): string {
  return `data: ${JSON.stringify(value)}\n\n`
}
