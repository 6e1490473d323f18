import { longestName, shownName, withoutKeys } from '../../keys.ts'
import type { Attributes } from '../attributes.ts'
import { ProtobufWriter, sizeOf } from './writer.ts'

/** Texts that are remembered for each name. */
const most = 500

/** What is known of the attributes of a name, as bytes. */
interface Known {
  /** The key, and the tag of the value. */
  readonly key: Uint8Array
  /** Whole attributes by their value. */
  readonly texts: Map<string, Uint8Array>
  readonly words: Map<string, Uint8Array>
  /** Those that are lists of one text. */
  readonly lists: Map<string, Uint8Array>
}

/** What attributes of one kind of message have in common. Most of their texts come again and again. */
export class AttributeMemory {
  readonly tag: number
  readonly #names = new Map<string, Known>()
  same = new WeakMap<object, Uint8Array>()

  /** `field`: the number of the message's field that takes them. */
  constructor(field: number) {
    this.tag = (field << 3) | 2
  }

  clear(): void {
    this.#names.clear()
    this.same = new WeakMap()
  }

  /** `name`: from the code, so that there are few. */
  of(name: string): Known {
    const found = this.#names.get(name)
    if (found) return found
    const key = written((out) => {
      out.byte(0x0a)
      out.text(name)
      out.byte(0x12)
    })
    const known = { key, texts: new Map(), words: new Map(), lists: new Map() }
    this.#names.set(name, known)
    return known
  }
}

/** Attributes in OTLP's protobuf: `KeyValue { key = 1, value = 2 }`, the value being an `AnyValue`. */
export class ProtobufAttributes implements Attributes {
  readonly #out: ProtobufWriter
  readonly #memory: AttributeMemory

  constructor(out: ProtobufWriter, memory: AttributeMemory) {
    this.#out = out
    this.#memory = memory
  }

  text(name: string | undefined, value: string | undefined): this {
    if (name === undefined || value === undefined) return this
    const { texts, key } = this.#memory.of(name)
    this.#out.piece(texts.get(value) ?? this.#remembered(texts, value, key, shownName(value)))
    return this
  }

  word(name: string | undefined, value: string | undefined): this {
    if (name === undefined || value === undefined) return this
    const { words, key } = this.#memory.of(name)
    this.#out.piece(words.get(value) ?? this.#remembered(words, value, key, value))
    return this
  }

  unique(name: string | undefined, value: string): this {
    return name === undefined ? this : this.id(name, withoutKeys(value.slice(0, longestName)))
  }

  id(name: string, value: string): this {
    this.#string(this.#out, this.#memory.of(name).key, value)
    return this
  }

  texts(name: string | undefined, values: readonly string[]): this {
    const [first] = values
    if (name === undefined || first === undefined) return this
    const { lists, key } = this.#memory.of(name)
    if (values.length > 1) this.#list(this.#out, key, values)
    else this.#out.piece(lists.get(first) ?? this.#rememberedList(lists, key, first))
    return this
  }

  int(name: string | undefined, value: unknown): this {
    if (name === undefined || !Number.isSafeInteger(value)) return this
    const number = value as number
    this.#begin(this.#memory.of(name).key, 1 + (number < 0 ? 10 : sizeOf(number)))
    this.#out.byte(0x18)
    this.#out.int64(number)
    return this
  }

  double(name: string | undefined, value: unknown): this {
    if (name === undefined || !Number.isFinite(value)) return this
    this.#begin(this.#memory.of(name).key, 9)
    this.#out.byte(0x21)
    this.#out.double(value as number)
    return this
  }

  flag(name: string | undefined, value: boolean): this {
    if (name === undefined) return this
    this.#begin(this.#memory.of(name).key, 2)
    this.#out.byte(0x10)
    this.#out.byte(value ? 1 : 0)
    return this
  }

  same<Of extends object>(of: Of, write: (attributes: Attributes, of: Of) => void): this {
    this.#out.piece(this.#memory.same.get(of) ?? this.#made(of, write))
    return this
  }

  #made<Of extends object>(of: Of, write: (attributes: Attributes, of: Of) => void): Uint8Array {
    const made = written((out) => write(new ProtobufAttributes(out, this.#memory), of))
    this.#memory.same.set(of, made)
    return made
  }

  #remembered(known: Map<string, Uint8Array>, value: string, key: Uint8Array, shown: string): Uint8Array {
    return remember(
      known,
      value,
      written((out) => this.#string(out, key, shown)),
    )
  }

  #rememberedList(known: Map<string, Uint8Array>, key: Uint8Array, value: string): Uint8Array {
    return remember(
      known,
      value,
      written((out) => this.#list(out, key, [value])),
    )
  }

  /** What comes before a value of `size` bytes. */
  #begin(key: Uint8Array, size: number): void {
    const out = this.#out
    out.byte(this.#memory.tag)
    out.varint(key.length + sizeOf(size) + size)
    out.piece(key)
    out.varint(size)
  }

  #string(out: ProtobufWriter, key: Uint8Array, value: string): void {
    // The size of most lengths, so that nothing has to be moved.
    const room = key.length + value.length < 100 ? 1 : 2
    out.byte(this.#memory.tag)
    const attribute = out.open(room)
    out.piece(key)
    const any = out.open(room)
    out.byte(0x0a)
    out.text(value)
    out.close(any, room)
    out.close(attribute, room)
  }

  #list(out: ProtobufWriter, key: Uint8Array, values: readonly string[]): void {
    out.byte(this.#memory.tag)
    const attribute = out.open()
    out.piece(key)
    const any = out.open()
    out.byte(0x2a)
    const list = out.open()
    for (const value of values) {
      out.byte(0x0a)
      const one = out.open()
      out.byte(0x0a)
      out.text(shownName(value))
      out.close(one)
    }
    out.close(list)
    out.close(any)
    out.close(attribute)
  }
}

function remember(known: Map<string, Uint8Array>, value: string, made: Uint8Array): Uint8Array {
  if (known.size >= most) known.clear()
  if (value.length <= longestName) known.set(value, made)
  return made
}

/** What `write` writes, as bytes to keep. */
export function written(write: (out: ProtobufWriter) => void): Uint8Array {
  const out = new ProtobufWriter(new ArrayBuffer(256))
  write(out)
  return out.bytes.slice()
}
