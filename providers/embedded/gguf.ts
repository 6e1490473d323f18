export type GgufValue = number | string | boolean | GgufValue[]

export interface GgufTensor {
  /** Row-major dimensions, fastest first, as GGUF stores them: `[columns, rows]` for a matrix. */
  readonly shape: readonly number[]
  readonly data: Float32Array
}

export interface GgufFile {
  readonly metadata: ReadonlyMap<string, GgufValue>
  readonly tensors: ReadonlyMap<string, GgufTensor>
}

const MAGIC = 0x46554747
const DEFAULT_ALIGNMENT = 32
const STRING = 8
const ARRAY = 9
const F32 = 0
const F16 = 1

/**
 * Reads a little-endian GGUF file (version 2 or 3) with F32 or F16 tensors. F16 is converted to F32 here, once:
 * converting per token would cost more than the multiplications. Throws an `Error` for another format, version or
 * tensor type.
 */
export function readGguf(bytes: Uint8Array): GgufFile {
  const reader = new Reader(bytes)
  if (reader.uint32() !== MAGIC) throw new Error('not a GGUF file')
  const version = reader.uint32()
  if (version < 2 || version > 3) throw new Error(`GGUF version ${version} is not supported`)
  const tensorCount = reader.uint64()
  const metadataCount = reader.uint64()
  const metadata = new Map<string, GgufValue>()
  for (let i = 0; i < metadataCount; i++) metadata.set(reader.string(), reader.value(reader.uint32()))

  const entries = Array.from({ length: tensorCount }, () => {
    const name = reader.string()
    const shape = Array.from({ length: reader.uint32() }, () => reader.uint64())
    return { name, shape, type: reader.uint32(), offset: reader.uint64() }
  })
  const alignment = Number(metadata.get('general.alignment') ?? DEFAULT_ALIGNMENT)
  const base = Math.ceil(reader.offset / alignment) * alignment
  const tensors = new Map<string, GgufTensor>()
  for (const { name, shape, type, offset } of entries) {
    const length = shape.reduce((product, n) => product * n, 1)
    tensors.set(name, { shape, data: reader.floats(type, base + offset, length) })
  }
  return { metadata, tensors }
}

class Reader {
  offset = 0
  readonly #bytes: Uint8Array
  readonly #view: DataView
  readonly #utf8 = new TextDecoder()

  constructor(bytes: Uint8Array) {
    // A plain view, because subclasses may override `slice` (that of Node's Buffer does not copy).
    this.#bytes = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  uint32(): number {
    this.offset += 4
    return this.#view.getUint32(this.offset - 4, true)
  }

  uint64(): number {
    this.offset += 8
    return Number(this.#view.getBigUint64(this.offset - 8, true))
  }

  string(): string {
    const length = this.uint64()
    this.offset += length
    return this.#utf8.decode(this.#bytes.subarray(this.offset - length, this.offset))
  }

  value(type: number): GgufValue {
    if (type === STRING) return this.string()
    if (type === ARRAY) {
      const itemType = this.uint32()
      return Array.from({ length: this.uint64() }, () => this.value(itemType))
    }
    const scalar = SCALARS[type]
    if (!scalar) throw new Error(`GGUF value type ${type} is not supported`)
    const [size, read] = scalar
    this.offset += size
    return read(this.#view, this.offset - size)
  }

  floats(type: number, start: number, length: number): Float32Array {
    const data = new Float32Array(length)
    if (type === F32) {
      for (let i = 0; i < length; i++) data[i] = this.#view.getFloat32(start + i * 4, true)
    } else if (type === F16) {
      // The copy is aligned, unlike a view into the file; the byte order is right on every little-endian machine.
      const halves = new Uint16Array(this.#bytes.slice(start, start + length * 2).buffer)
      widen(halves, data)
    } else {
      throw new Error(`GGUF tensor type ${type} is not supported`)
    }
    return data
  }
}

const SCALARS: Record<number, readonly [size: number, read: (view: DataView, at: number) => number | boolean]> = {
  0: [1, (view, at) => view.getUint8(at)],
  1: [1, (view, at) => view.getInt8(at)],
  2: [2, (view, at) => view.getUint16(at, true)],
  3: [2, (view, at) => view.getInt16(at, true)],
  4: [4, (view, at) => view.getUint32(at, true)],
  5: [4, (view, at) => view.getInt32(at, true)],
  6: [4, (view, at) => view.getFloat32(at, true)],
  7: [1, (view, at) => view.getUint8(at) !== 0],
  10: [8, (view, at) => Number(view.getBigUint64(at, true))],
  11: [8, (view, at) => Number(view.getBigInt64(at, true))],
  12: [8, (view, at) => view.getFloat64(at, true)],
}

/** Converts half to single precision by bit operations: not every supported runtime has `Float16Array` yet. */
function widen(halves: Uint16Array, singles: Float32Array): void {
  const bits = new Uint32Array(singles.buffer)
  for (let i = 0; i < halves.length; i++) {
    const half = halves[i] as number
    const magnitude = half & 0x7fff
    // A normal number: shift the fraction left by 13 bits and change the exponent's bias from 15 to 127.
    if (magnitude >= 0x0400 && magnitude < 0x7c00) bits[i] = ((half & 0x8000) << 16) | ((magnitude << 13) + (112 << 23))
    else singles[i] = (half & 0x8000 ? -1 : 1) * unusualHalf(magnitude)
  }
}

/** Zero, subnormal numbers, infinity and NaN. */
function unusualHalf(magnitude: number): number {
  if (magnitude < 0x0400) return magnitude * 2 ** -24
  return magnitude === 0x7c00 ? Number.POSITIVE_INFINITY : Number.NaN
}
