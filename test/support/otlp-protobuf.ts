/**
 * Reads OTLP's protobuf as its JSON would have it: 64 bits are a text, ids are hexadecimal. Strict: throws on whatever isn't
 * in the tables below. `npm run prove:otlp` compares what it reads with what a real collector does.
 */

/** A message by the numbers of its fields. */
type Message = Readonly<Record<number, Field>>
type Scalar = 'text' | 'id' | 'number' | 'int64' | 'bool' | 'fixed32' | 'fixed64' | 'double' | 'fixed64s' | 'doubles'

interface Field {
  readonly name: string
  readonly type: Scalar | (() => Message)
  readonly many?: true
}

const field = (name: string, type: Field['type']): Field => ({ name, type })
const list = (name: string, type: Field['type']): Field => ({ name, type, many: true })

const anyValue: Message = {
  1: field('stringValue', 'text'),
  2: field('boolValue', 'bool'),
  3: field('intValue', 'int64'),
  4: field('doubleValue', 'double'),
  5: field('arrayValue', () => ({ 1: list('values', () => anyValue) })),
}
const keyValue: Message = { 1: field('key', 'text'), 2: field('value', () => anyValue) }
const resource: Message = { 1: list('attributes', () => keyValue) }
const scope: Message = { 1: field('name', 'text') }

const span: Message = {
  1: field('traceId', 'id'),
  2: field('spanId', 'id'),
  3: field('traceState', 'text'),
  4: field('parentSpanId', 'id'),
  5: field('name', 'text'),
  6: field('kind', 'number'),
  7: field('startTimeUnixNano', 'fixed64'),
  8: field('endTimeUnixNano', 'fixed64'),
  9: list('attributes', () => keyValue),
  15: field('status', () => ({ 3: field('code', 'number') })),
  16: field('flags', 'fixed32'),
}

const times = { 2: field('startTimeUnixNano', 'fixed64'), 3: field('timeUnixNano', 'fixed64') }
const numberPoint: Message = { ...times, 4: field('asDouble', 'double'), 7: list('attributes', () => keyValue) }
const histogramPoint: Message = {
  ...times,
  4: field('count', 'fixed64'),
  5: field('sum', 'double'),
  6: field('bucketCounts', 'fixed64s'),
  7: field('explicitBounds', 'doubles'),
  9: list('attributes', () => keyValue),
}
const data = (point: Message): Message => ({
  1: list('dataPoints', () => point),
  2: field('aggregationTemporality', 'number'),
  3: field('isMonotonic', 'bool'),
})
const metric: Message = {
  1: field('name', 'text'),
  2: field('description', 'text'),
  3: field('unit', 'text'),
  5: field('gauge', () => data(numberPoint)),
  7: field('sum', () => data(numberPoint)),
  9: field('histogram', () => data(histogramPoint)),
}

const body = (all: string, scopes: string, one: string, message: Message): Message => ({
  1: list(all, () => ({
    1: field('resource', () => resource),
    2: list(scopes, () => ({ 1: field('scope', () => scope), 2: list(one, () => message) })),
  })),
})

export function readTraces(bytes: Uint8Array): Record<string, unknown> {
  return read(bytes, body('resourceSpans', 'scopeSpans', 'spans', span))
}

export function readMetrics(bytes: Uint8Array): Record<string, unknown> {
  return read(bytes, body('resourceMetrics', 'scopeMetrics', 'metrics', metric))
}

/** An answer that says that not all was taken. */
export function partialSuccess(rejected: number, message: string): Uint8Array<ArrayBuffer> {
  const text = new TextEncoder().encode(message)
  const told = [0x08, rejected, 0x12, text.length, ...text]
  return Uint8Array.of(0x0a, told.length, ...told)
}

function read(bytes: Uint8Array, message: Message): Record<string, unknown> {
  const found: Record<string, unknown> = {}
  let at = 0
  const varint = (): bigint => {
    let value = 0n
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++]
      if (byte === undefined) throw new Error('It ends in the middle of a number.')
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
  }
  const take = (length: number): Uint8Array => {
    if (at + length > bytes.length) throw new Error('It ends in the middle of a field.')
    at += length
    return bytes.subarray(at - length, at)
  }
  while (at < bytes.length) {
    const tag = Number(varint())
    const known = message[tag >> 3]
    if (!known) throw new Error(`There is no field ${tag >> 3} among ${JSON.stringify(message)}.`)
    const { name, type, many } = known
    const [wire, worded] = typeof type === 'string' ? scalars[type] : [2, (part: Uint8Array) => read(part, type())]
    if ((tag & 7) !== wire) throw new Error(`${name} has the type ${tag & 7}.`)
    const value = worded(wire === 0 ? numeral(varint()) : take({ 1: 8, 5: 4 }[wire] ?? Number(varint())))
    if (!many) found[name] = value
    else found[name] = [...((found[name] as unknown[] | undefined) ?? []), value]
  }
  return found
}

/** A varint as the eight bytes of a number. */
function numeral(value: bigint): Uint8Array {
  const bytes = new Uint8Array(8)
  view(bytes).setBigUint64(0, value, true)
  return bytes
}

const view = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const fixed64 = (bytes: Uint8Array) => String(view(bytes).getBigUint64(0, true))
const double = (bytes: Uint8Array) => view(bytes).getFloat64(0, true)

function each<Value>(bytes: Uint8Array, one: (bytes: Uint8Array) => Value): Value[] {
  return Array.from({ length: bytes.length / 8 }, (_, n) => one(bytes.subarray(8 * n, 8 * n + 8)))
}

/** The wire type of each, and how it is read. */
const scalars: Readonly<Record<Scalar, readonly [number, (bytes: Uint8Array) => unknown]>> = {
  text: [2, (bytes) => strict.decode(bytes)],
  id: [2, (bytes) => Buffer.from(bytes).toString('hex')],
  number: [0, (bytes) => Number(view(bytes).getBigInt64(0, true))],
  int64: [0, (bytes) => String(view(bytes).getBigInt64(0, true))],
  bool: [0, (bytes) => view(bytes).getBigInt64(0, true) !== 0n],
  fixed32: [5, (bytes) => view(bytes).getUint32(0, true)],
  fixed64: [1, fixed64],
  double: [1, double],
  fixed64s: [2, (bytes) => each(bytes, fixed64)],
  doubles: [2, (bytes) => each(bytes, double)],
}
