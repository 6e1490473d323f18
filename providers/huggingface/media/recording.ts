import type { ServedRequest } from '../../../src/core/served.ts'
import { concat } from '../../../src/wire/block.ts'
import { invalid } from '../../../src/wire/body.ts'
import { GatewayError } from '../../../src/wire/errors.ts'
import { FormReader } from '../../../src/wire/form.ts'

/** OpenAI's limit, in bytes. What is larger streams through elsewhere, but here it must be encoded. */
const most = 25 * 1024 * 1024

export interface Recording {
  readonly bytes: Uint8Array
  /** The content type. */
  readonly type: string
}

/** The file of a form, as a whole. Rejects with a 413 if it is too large, and with a 400 if there is none. */
export async function recordingOf({ form }: ServedRequest): Promise<Recording> {
  if (!form) throw invalid('Send the file in a form, as multipart/form-data.', 'file', 'invalid_type')
  const { bytes, parts } = form.remainder ? await wholeOf(form) : form
  const file = parts.find(({ name, isFile }) => name === 'file' && isFile)
  if (!file) throw invalid("Missing required parameter: 'file'.", 'file', 'missing_required_parameter')
  const content = bytes.subarray(file.valueStart, file.valueEnd)
  if (content.length > most) throw tooLarge()
  return { bytes: content, type: audioType(file.type, file.filename) }
}

async function wholeOf({ bytes, boundary, remainder }: NonNullable<ServedRequest['form']>) {
  const rest = remainder?.take()
  // Some room for the other parts.
  if ((rest?.length ?? 0) + bytes.length > most + 1024 * 1024) {
    rest?.source.cancel('It is too large.')
    throw tooLarge()
  }
  rest?.begin?.()
  const end = rest ? await rest.source.collect(most, tooLarge) : new Uint8Array()
  rest?.sent?.()
  const whole = concat([bytes, end])
  const reader = new FormReader(boundary)
  reader.read(whole)
  return { bytes: whole, parts: reader.parts }
}

function tooLarge(): GatewayError {
  const message = `Maximum content size limit (${most}) exceeded. Hugging Face's providers take no larger recordings here.`
  return new GatewayError('bad_request', message, { status: 413, param: 'file' })
}

/** By how a file's name ends, for clients that send no type. */
const types: Readonly<Record<string, string>> = {
  flac: 'audio/flac',
  m4a: 'audio/m4a',
  mp3: 'audio/mpeg',
  mp4: 'audio/mp4',
  mpeg: 'audio/mpeg',
  mpga: 'audio/mpeg',
  oga: 'audio/ogg',
  ogg: 'audio/ogg',
  wav: 'audio/wav',
  webm: 'audio/webm',
}

function audioType(type: string | undefined, filename: string | undefined): string {
  if (type && /^(audio|video)\//i.test(type)) return type.toLowerCase()
  const ending = /\.(\w+)$/.exec(filename ?? '')?.[1]?.toLowerCase()
  return types[ending ?? ''] ?? 'audio/wav'
}
