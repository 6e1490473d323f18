import type { Answer } from '../../core/answer.ts'
import type { Stage } from '../../core/stream.ts'
import { toBase64 } from '../../wire/base64.ts'
import type { JsonObject } from '../../wire/json.ts'
import { typedFrame } from '../../wire/sse.ts'
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
  return stream ? eventsAnswer(voiceEvents(toBase64(audio))) : bytesAnswer(type, audio)
}

/** The events for speech in base64. */
export function voiceEvents(audio: string, usage: unknown = noUsage): JsonObject[] {
  const pieces = Math.ceil(audio.length / longestPiece)
  return [
    ...Array.from({ length: pieces }, (_, at) => said(audio.slice(at * longestPiece, (at + 1) * longestPiece))),
    { type: 'speech.audio.done', usage },
  ]
}

/** Makes events of speech as it comes. */
export function voiceStage(): Stage {
  return {
    chunk: (bytes, emit) => emit(typedFrame(said(toBase64(bytes)))),
    end: (emit) => voiceEvents('').map(typedFrame).forEach(emit),
  }
}

const said = (audio: string): JsonObject => ({ type: 'speech.audio.delta', audio })

/** Characters of base64 in one event; divisible by four, so that each piece can be read by itself. */
const longestPiece = 256 * 1024

/** The specification requires it of the event; no token was counted. */
const noUsage = { input_tokens: 0, output_tokens: 0, total_tokens: 0 }
