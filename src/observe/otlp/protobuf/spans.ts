import { longestName, remembering, shownName } from '../../keys.ts'
import type { Attributes } from '../attributes.ts'
import { type Batches, flagsOf, type SpanBatch, type SpanHead } from '../span-batch.ts'
import { AttributeMemory, ProtobufAttributes, written } from './attributes.ts'
import { closeFrame, type Frame, openFrame, resourceOf } from './frame.ts'
import { ProtobufWriter } from './writer.ts'

/** Bytes of the first batch: later ones begin with what the one before took. */
let usual = 64 * 1024
/** Names of spans that are remembered for each first word. */
const mostNames = 500
/** First words: methods of HTTP, and the names of operations. */
const mostWords = 50

const attributes = remembering(new AttributeMemory(9))
const names = remembering(new Map<string, Map<string | undefined, Uint8Array>>())

export const protobufBatches: Batches = (resource) => {
  const frame = resourceOf(resource)
  /** Of the last batch that was sent: new memory would have to be cleared, and old memory to be found by the collector. */
  let spare: ArrayBuffer | undefined
  return () => {
    const memory = spare ?? new ArrayBuffer(usual)
    spare = undefined
    return new ProtobufSpans(frame, memory, (free) => {
      spare = free
    })
  }
}

/**
 * Spans in OTLP's protobuf, as bytes at once, in the order of its fields:
 * https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/trace/v1/trace.proto
 */
class ProtobufSpans implements SpanBatch {
  readonly #out: ProtobufWriter
  readonly #frame: Frame
  readonly #attributes: ProtobufAttributes
  readonly #free: (memory: ArrayBuffer) => void
  #size = 0
  /** Where the span begins that is being written, and where the one before ends. */
  #start = 0
  #end: number

  constructor(resource: Uint8Array, memory: ArrayBuffer, free: (memory: ArrayBuffer) => void) {
    this.#out = new ProtobufWriter(memory)
    this.#attributes = new ProtobufAttributes(this.#out, attributes)
    this.#free = free
    this.#frame = openFrame(this.#out, resource)
    this.#end = this.#out.size
  }

  get size(): number {
    return this.#size
  }

  begin(head: SpanHead): Attributes {
    const { context, id, parent, kind, start, end } = head
    const out = this.#out
    out.cut(this.#end)
    out.byte(0x12)
    this.#start = out.open()
    out.byte(0x0a)
    out.byte(16)
    out.id(context.traceId)
    out.byte(0x12)
    out.byte(8)
    out.id(id)
    if (context.state !== undefined) {
      out.byte(0x1a)
      out.text(context.state)
    }
    if (parent !== undefined) {
      out.byte(0x22)
      out.byte(8)
      out.id(parent)
    }
    out.piece(names.get(head.what)?.get(head.of) ?? nameOf(head))
    out.byte(0x30)
    out.byte(kind)
    out.byte(0x39)
    out.time(start)
    out.byte(0x41)
    out.time(Math.max(start, end))
    out.varint((16 << 3) | 5)
    out.fixed32(flagsOf(head))
    return this.#attributes
  }

  end(failed: boolean): void {
    const out = this.#out
    // `Status { code = 3 }`: an error.
    if (failed) out.piece(failure)
    out.close(this.#start)
    this.#end = out.size
    this.#size++
  }

  take(): Uint8Array<ArrayBuffer> {
    const out = this.#out
    out.cut(this.#end)
    closeFrame(out, this.#frame)
    // With some room, as later spans may be longer.
    usual = Math.ceil(out.size * 1.1)
    return out.bytes
  }

  release(): void {
    this.#free(this.#out.memory)
  }
}

const failure = Uint8Array.of(0x7a, 2, 0x18, 2)

function nameOf({ what, of }: SpanHead): Uint8Array {
  const made = written((out) => {
    out.byte(0x2a)
    out.text(of === undefined ? what : `${what} ${shownName(of)}`)
  })
  if (of !== undefined && of.length > longestName) return made
  const alike = names.get(what) ?? new Map<string | undefined, Uint8Array>()
  if (alike.size >= mostNames) alike.clear()
  if (names.size < mostWords) names.set(what, alike.set(of, made))
  return made
}
