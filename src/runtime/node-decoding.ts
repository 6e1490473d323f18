import type { Duplex } from 'node:stream'
import { createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from 'node:zlib'
import { Pump } from '../core/pump.ts'
import type { ByteSource } from '../core/stream.ts'
import { codingsOf, corrupt, unknownCoding, unreadable } from './encodings.ts'
import { brokenOff } from './node-failures.ts'

const decoders = new Map<string, () => Duplex>([
  ['gzip', createGunzip],
  ['x-gzip', createGunzip],
  ['deflate', createInflate],
  ['br', createBrotliDecompress],
  ['zstd', createZstdDecompress],
])

/** The decoded body, if the upstream compressed it without being asked to. */
export function decoded(body: ByteSource, encoding: string | undefined): ByteSource {
  if (encoding === undefined) return body
  const codings = codingsOf(encoding)
  const known = codings.map((coding) => decoders.get(coding)).filter((decoder) => decoder !== undefined)
  if (known.length === codings.length)
    return known.reduce((source, create) => through(create(), source, brokenOff), body)
  body.cancel('unknown encoding')
  const pump = new Pump({ cancel() {} })
  pump.break(unknownCoding())
  return pump
}

/** A client's request body, decoded. Throws a 415 for a coding that isn't known. */
export function unpacked(body: ByteSource, encoding: string): ByteSource {
  const codings = codingsOf(encoding)
  const known = codings.map((coding) => decoders.get(coding)).filter((decoder) => decoder !== undefined)
  if (known.length === codings.length) return known.reduce((source, create) => through(create(), source, corrupt), body)
  body.cancel('unknown encoding')
  throw unreadable(encoding, decoders.keys())
}

function through(decoder: Duplex, body: ByteSource, failure: (error: Error) => unknown): ByteSource {
  const pump = new Pump({
    pause: () => decoder.pause(),
    resume: () => decoder.resume(),
    cancel(reason) {
      body.cancel(reason)
      decoder.destroy()
    },
  })
  decoder.on('data', (bytes: Uint8Array) => pump.push(bytes))
  decoder.on('end', () => pump.finish())
  decoder.on('error', (error) => {
    pump.break(failure(error))
    body.cancel(error)
  })
  decoder.on('drain', () => body.resume())
  body.pipe({
    chunk(bytes) {
      if (!decoder.write(bytes)) body.pause()
    },
    end: () => decoder.end(),
    fail: (error) => pump.break(error),
  })
  return pump
}
