import { TextBytes } from '../../../wire/text-bytes.ts'
import { shownJSON } from '../../keys.ts'
import type { Attributes } from '../attributes.ts'
import { type Batches, flagsOf, type SpanBatch, type SpanHead } from '../span-batch.ts'
import { attributesOf, JSONAttributes } from './attributes.ts'
import { nanoseconds } from './nanoseconds.ts'

/** Bytes of the first batch: later ones begin with what the one before took. */
let usual = 64 * 1024

export const jsonBatches: Batches = (resource) => {
  const before = `{"resourceSpans":[{"resource":{"attributes":[${attributesOf(resource)}]},"scopeSpans":[{"scope":{"name":"samewire"},"spans":[`
  return () => new JSONSpans(before)
}

/**
 * Spans in OTLP's JSON, as bytes at once: texts that wait are copied again and again by the garbage collector, and have to be
 * joined in the end, which costs more than making them.
 */
class JSONSpans implements SpanBatch {
  readonly #text = new TextBytes(usual)
  #size = 0
  #head = ''
  #attributes = new JSONAttributes()

  constructor(before: string) {
    this.#text.write(before)
  }

  get size(): number {
    return this.#size
  }

  begin(head: SpanHead): Attributes {
    this.#head = headJSON(head)
    this.#attributes = new JSONAttributes()
    return this.#attributes
  }

  end(failed: boolean): void {
    const comma = this.#size++ === 0 ? '' : ','
    const status = failed ? ',"status":{"code":2}' : ''
    this.#text.write(`${comma}{${this.#head},"attributes":[${this.#attributes.json}]${status}}`)
  }

  take(): Uint8Array<ArrayBuffer> {
    this.#text.write(']}]}]}')
    const { bytes, size } = this.#text
    // With some room, as later spans may be longer.
    usual = Math.ceil(size * 1.1)
    return bytes
  }
}

/** Members of an object. */
function headJSON(head: SpanHead): string {
  const { context, id, parent, kind, what, of, start, end } = head
  const { traceId, state } = context
  let json = `"traceId":"${traceId}","spanId":"${id}"`
  if (parent !== undefined) json += `,"parentSpanId":"${parent}"`
  if (state !== undefined) json += `,"traceState":${JSON.stringify(state)}`
  // A text that comes again and again needs no work, and the whole is made anew each time.
  const name = of === undefined ? `"${what}"` : `"${what} ${shownJSON(of).slice(1)}`
  json += `,"flags":${flagsOf(head)},"name":${name},"kind":${kind}`
  return `${json},"startTimeUnixNano":"${nanoseconds(start)}","endTimeUnixNano":"${nanoseconds(Math.max(start, end))}"`
}
