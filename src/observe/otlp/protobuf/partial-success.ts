/** What an answer says of what was sent, as OTLP's JSON has it. */
export interface PartialSuccess {
  readonly rejectedSpans?: number
  readonly errorMessage?: string
}

const decoder = new TextDecoder()

interface Field {
  readonly number: number
  /** Of a varint. */
  readonly value: number
  /** Of all else. */
  readonly bytes: Uint8Array
}

/**
 * Reads `ExportTraceServiceResponse { partial_success = 1 { rejected_spans = 1, error_message = 2 } }`, or that of metrics,
 * which is the same. What can't be read is left out.
 */
export function readPartialSuccess(answer: Uint8Array): PartialSuccess {
  const told: { rejectedSpans?: number; errorMessage?: string } = {}
  for (const { number, bytes } of fieldsOf(answer)) {
    if (number !== 1) continue
    for (const field of fieldsOf(bytes)) {
      if (field.number === 1) told.rejectedSpans = field.value
      if (field.number === 2) told.errorMessage = decoder.decode(field.bytes)
    }
  }
  return told
}

/** Ends at the first thing that is none. */
function* fieldsOf(message: Uint8Array): Generator<Field> {
  let at = 0
  const varint = (): number => {
    let value = 0
    for (let scale = 1; at < message.length; scale *= 0x80) {
      const byte = message[at++] ?? 0
      value += (byte & 0x7f) * scale
      if (byte < 0x80) return value
    }
    return Number.NaN
  }
  while (at < message.length) {
    const tag = varint()
    const type = tag % 8
    const value = type === 0 ? varint() : 0
    const length = type === 2 ? varint() : (fixed[type] ?? Number.NaN)
    if (!(at + length <= message.length) || Number.isNaN(value)) return
    yield { number: Math.floor(tag / 8), value, bytes: message.subarray(at, at + length) }
    at += length
  }
}

/** Bytes after the tag, by type: what has no length of its own. */
const fixed: Readonly<Record<number, number>> = { 0: 0, 1: 8, 5: 4 }
