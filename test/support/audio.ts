interface Wave {
  /** Samples a second. */
  readonly samples?: number
  /** 1: whole numbers, 3: broken ones, 0xfffe: as the sub-format says, anything else is packed. */
  readonly format?: number
  readonly subFormat?: number
  readonly bits?: number
  /** Bytes of another chunk before the one that says how it sounds. */
  readonly before?: number
  /** Bytes of sound. */
  readonly more?: number
}

/** A recording as WAV, in base64. */
export function wave({ samples = 8_000, format = 1, subFormat = 1, bits = 16, before, more = 100 }: Wave = {}): string {
  const told = Buffer.alloc(40)
  told.writeUInt16LE(format, 0)
  told.writeUInt16LE(1, 2)
  told.writeUInt32LE(samples, 4)
  told.writeUInt32LE((samples * bits) / 8, 8)
  told.writeUInt16LE(bits / 8, 12)
  told.writeUInt16LE(bits, 14)
  told.writeUInt16LE(subFormat, 24)
  const chunks = [chunk('fmt ', told), chunk('data', Buffer.alloc(more))]
  const all = [...(before === undefined ? [] : [chunk('JUNK', Buffer.alloc(before))]), ...chunks]
  return chunk('RIFF', Buffer.concat([Buffer.from('WAVE'), ...all])).toString('base64')
}

function chunk(name: string, content: Buffer): Buffer {
  const size = Buffer.alloc(4)
  size.writeUInt32LE(content.length)
  return Buffer.concat([Buffer.from(name), size, content, Buffer.alloc(content.length % 2)])
}

/** A frame of MPEG's third layer, 32 kbit/s. */
const frame = Buffer.from([0xff, 0xfb, 0x10, 0x64, ...Array(100).fill(0)])

/** A recording as MP3, in base64. */
export const mp3 = frame.toString('base64')

/** The same behind a tag with so many bytes. */
export function taggedMp3(size: number, content: Buffer = frame): string {
  const bytes = [21, 14, 7, 0].map((shift) => (size >> shift) & 127)
  return Buffer.concat([Buffer.from([0x49, 0x44, 0x33, 4, 0, 0, ...bytes]), Buffer.alloc(size), content]).toString(
    'base64',
  )
}
