import type { Answer } from '../../core/answer.ts'
import type { Emit, Stage } from '../../core/stream.ts'
import { GatewayError } from '../../wire/errors.ts'
import type { JsonObject } from '../../wire/json.ts'
import { eventBound, typedFrame } from '../../wire/sse.ts'
import { eventsAnswer, jsonAnswer, textAnswer, unsupported } from './answers.ts'

/** What was heard. Times are in seconds; a piece may have no end. */
export interface Transcript {
  readonly text: string
  readonly pieces?: readonly Piece[]
  readonly language?: string | undefined
}

export interface Piece {
  readonly text: string
  readonly start: number
  readonly end: number | undefined
}

/** What of a transcription a request asks for. */
export interface Hearing {
  readonly format: string
  /** The pieces that must come with times. */
  readonly timed: 'segment' | 'word' | undefined
  readonly language: string | undefined
}

const formats = ['json', 'text', 'srt', 'verbose_json', 'vtt']

/** Throws a 400 at a format that is not made here. */
export function hearingOf(body: JsonObject): Hearing {
  const { response_format: format = 'json', timestamp_granularities: given = [], language } = body
  if (!formats.includes(String(format))) {
    throw unsupported('response_format', `Here it is one of ${formats.join(', ')}.`)
  }
  const words = (Array.isArray(given) ? given : [given]).map(String)
  if (words.includes('word') && words.includes('segment')) {
    throw unsupported('timestamp_granularities', 'This model has times of words or of segments, not of both at once.')
  }
  const verbose = format === 'verbose_json'
  const timed = verbose && words.includes('word') ? 'word' : verbose || isSubtitles(format) ? 'segment' : undefined
  return { format: String(format), timed, language: language ? String(language) : undefined }
}

const isSubtitles = (format: unknown) => format === 'srt' || format === 'vtt'

/** A transcript in the form that was asked for. Throws a 400 if that needs times, and the model has given none. */
export function transcriptAnswer(heard: Transcript, { format, timed, language }: Hearing, stream: boolean): Answer {
  const { text, pieces } = heard
  if (timed && !pieces) throw unsupported('response_format', `This model gives no times, which '${format}' needs.`)
  if (stream) return eventsAnswer(heardEvents({ text }))
  if (format === 'text') return textAnswer(`${text}\n`)
  if (format === 'srt') return textAnswer(subtitles(pieces ?? [], ','))
  if (format === 'vtt') return textAnswer(`WEBVTT\n\n${subtitles(pieces ?? [], '.')}`)
  if (format === 'json') return jsonAnswer({ text })
  const timedPieces =
    timed === 'word' ? { words: (pieces ?? []).map(wordOf) } : { segments: (pieces ?? []).map(segmentOf) }
  return jsonAnswer({
    task: 'transcribe',
    language: heard.language ?? language ?? 'unknown',
    duration: Math.max(0, ...(pieces ?? []).map(endOf)),
    text,
    ...timedPieces,
  })
}

const delta = (words: string): JsonObject => ({ type: 'transcript.text.delta', delta: words })

/** The events for a transcript that is there; the last one has all that is known, such as times and the usage. */
export function heardEvents(answer: JsonObject): JsonObject[] {
  const done = { ...answer, type: 'transcript.text.done' }
  return answer.text === '' ? [done] : [delta(String(answer.text)), done]
}

/** Makes events of a transcript that comes as a plain text, without the line break at its end. */
export function heardStage(): Stage {
  const decoder = new TextDecoder()
  let text = ''
  let blanks = ''
  const read = (piece: string, emit: Emit) => {
    const words = (blanks + piece).trimEnd()
    blanks = (blanks + piece).slice(words.length)
    if (text.length + words.length > eventBound) throw new GatewayError('protocol', 'The transcript has no end.')
    text += words
    if (words !== '') emit(typedFrame(delta(words)))
  }
  return {
    chunk: (bytes, emit) => read(decoder.decode(bytes, { stream: true }), emit),
    end(emit) {
      read(decoder.decode(), emit)
      emit(typedFrame({ type: 'transcript.text.done', text }))
    },
  }
}

const endOf = ({ start, end }: Piece) => end ?? start

function wordOf(piece: Piece): JsonObject {
  return { word: piece.text.trim(), start: piece.start, end: endOf(piece) }
}

/** Clients expect all keys of Whisper's segments. What the model doesn't tell is zero. */
function segmentOf(piece: Piece, id: number): JsonObject {
  return {
    ...{ id, seek: 0, start: piece.start, end: endOf(piece), text: piece.text, tokens: [] },
    ...{ temperature: 0, avg_logprob: 0, compression_ratio: 0, no_speech_prob: 0 },
  }
}

/** Subtitles as SRT has them, which WebVTT differs from in its `mark` before the milliseconds. */
function subtitles(pieces: readonly Piece[], mark: ',' | '.'): string {
  return pieces
    .map((piece, at) => {
      const number = mark === ',' ? `${at + 1}\n` : ''
      // A blank line would end the entry.
      const text = piece.text.trim().replace(/\n\s*\n/g, '\n')
      return `${number}${clockTime(piece.start, mark)} --> ${clockTime(endOf(piece), mark)}\n${text}\n\n`
    })
    .join('')
}

function clockTime(seconds: number, mark: string): string {
  const ms = Math.round(Math.max(0, seconds) * 1000)
  const two = (value: number) => String(Math.floor(value)).padStart(2, '0')
  const whole = `${two(ms / 3_600_000)}:${two((ms / 60_000) % 60)}:${two((ms / 1000) % 60)}`
  return `${whole}${mark}${String(ms % 1000).padStart(3, '0')}`
}
