import type { Answer } from '../../core/answer.ts'
import { toBase64 } from '../../wire/base64.ts'
import type { JsonObject } from '../../wire/json.ts'
import { bytesAnswer, eventsAnswer, unsupported } from './answers.ts'

/** Content types of the formats that OpenAI has. */
const types: Readonly<Record<string, RegExp>> = {
  mp3: /^audio\/(mpeg|mp3|mpga)\b/,
  opus: /^audio\/(opus|ogg)\b/,
  aac: /^audio\/(aac|mp4|x-aac|aacp)\b/,
  flac: /^audio\/(flac|x-flac)\b/,
  wav: /^audio\/(wav|wave|x-wav|vnd\.wave)\b/,
  pcm: /^audio\/(pcm|l16)\b/,
}

/**
 * Throws a 400 if the client asks for another format than the audio has. Without such a wish, the content type tells
 * clients what they get.
 */
export function checkFormat({ response_format: wanted }: JsonObject, type: string): void {
  if (wanted === undefined || wanted === null) return
  if (types[String(wanted)]?.test(type.toLowerCase())) return
  throw unsupported('response_format', `This model speaks as ${type}; leave the parameter out.`)
}

/** Speech that is there as a whole: its bytes, or events that hold them. */
export function voiceAnswer(audio: Uint8Array, type: string, stream: boolean): Answer {
  if (!stream) return bytesAnswer(type, audio)
  return eventsAnswer([
    { type: 'speech.audio.delta', audio: toBase64(audio) },
    { type: 'speech.audio.done', usage: { input_tokens: 0, output_tokens: 0, total_tokens: 0 } },
  ])
}
