import type { Call } from '../core/call.ts'
import { readInBand } from '../core/failure.ts'
import type { OperationSpec, WireContext } from '../core/provider.ts'
import type { StreamReader } from '../core/stream-reader.ts'
import { isObject, type JsonObject, objectAt, tryParse } from '../wire/json.ts'
import { EventReader, type ServerEvent, truncated } from '../wire/sse.ts'
import { isLines, ofLines } from './lines.ts'
import { protocolError } from './response.ts'
import { ShapeReader } from './shape.ts'

/**
 * The whole answer that a stream amounts to; undefined if the bytes are no stream. The same checks as for a stream that
 * goes to a client: one that reports an error or breaks off is a failure, never a shorter answer.
 */
export function gathered(
  bytes: Uint8Array,
  spec: OperationSpec,
  context: WireContext,
  call: Call,
): JsonObject | undefined {
  const { operation } = call
  const shape = new ShapeReader().read(bytes)
  if (!operation.toWhole || !operation.reader) return undefined
  const lines = shape === 'json' && !spec.streamType && isLines(bytes)
  if (shape !== 'events' && !lines && !(spec.streamType && shape === 'json')) return undefined
  const events = eventsOf(bytes, lines ? ofLines(spec, call.target.deployment.provider.name) : spec, context)
  return operation.toWhole(chunksOf(events, operation.reader(context.body), call), context)
}

/** The events in OpenAI's format, after the provider's own translation. */
function eventsOf(bytes: Uint8Array, spec: OperationSpec, context: WireContext): ServerEvent[] {
  const reader = new EventReader()
  const stage = spec.stream?.(withUsage(context))
  const events: ServerEvent[] = []
  const read = (piece: Uint8Array) => {
    for (const event of reader.read(piece)) events.push(event)
  }
  // In pieces: the reader limits what it takes at once, because in a stream that is one event.
  for (let at = 0; at < bytes.length; at += pieceSize) {
    const piece = bytes.subarray(at, at + pieceSize)
    if (stage) stage.chunk(piece, read)
    else read(piece)
  }
  stage?.end?.(read)
  return [...events, ...reader.end()]
}

const pieceSize = 1024 * 1024

/** A translation leaves the usage out of a stream unless it is asked for; a whole answer always has it. */
function withUsage({ body, model, id, created, random }: WireContext): WireContext {
  const options = { ...objectAt(body, 'stream_options'), include_usage: true }
  return { body: { ...body, stream: true, stream_options: options }, model, id, created, random }
}

function chunksOf(events: readonly ServerEvent[], reader: StreamReader, call: Call): JsonObject[] {
  const chunks: JsonObject[] = []
  for (const event of events) {
    const sight = reader.see(event)
    if (typeof sight === 'object') {
      throw 'told' in sight ? readInBand(sight.told, call) : protocolError(call.target.deployment.provider, sight.wrong)
    }
    if (sight === 'end') break
    const chunk = tryParse(event.data)
    if (isObject(chunk)) chunks.push(chunk)
    if (reader.isOver) break
  }
  if (!reader.complete) throw truncated()
  return chunks
}
