import { lateValue } from '../core/late.ts'
import type { Operation } from '../core/operation.ts'
import { aBoolean, aNumber, aText, aVoice, checkRequest } from './common/fields.ts'
import { missing } from './common/missing.ts'
import { plainDemand } from './common/plain-demand.ts'
import { MediaEventsReader } from './common/typed-events.ts'
import { usageIn } from './common/usage.ts'
import { operationFacts } from './facts.ts'
import { heardEvents, heardStage } from './media/transcript.ts'
import { voiceEvents, voiceStage } from './media/voice.ts'

/** Speech from a text: audio, or with `stream_format: 'sse'` a stream of events that hold it. */
export const speech: Operation = {
  ...operationFacts.speech,
  anyType: true,
  check: (body) =>
    checkRequest(body, ['input', 'voice'], {
      ...{ input: aText, voice: aVoice, instructions: aText, response_format: aText },
      ...{ stream_format: aText, speed: aNumber },
    }),
  query: plainDemand,
  bounding: lateValue(async () => (await import('./media/bounding.ts')).boundingSpeech),
  pieces: (_, { json }) => ({ characters: String(json.input).length }),
  streams: ({ outline }) => outline.stream_format === 'sse',
  fault: missing('audio', 'text'),
  reader: () => new MediaEventsReader(/^speech\.audio\.done$/),
  toStream: ({ audio, usage }) => voiceEvents(String(audio), usage),
  streamOf: (type) => (/^(audio\/|video\/|application\/(octet-stream|ogg)|$)/i.test(type) ? voiceStage() : undefined),
}

/** A text from speech: JSON, or a plain text in one of several forms. */
export const transcriptions: Operation = {
  ...operationFacts.transcriptions,
  forms: true,
  anyType: true,
  check: (body) =>
    checkRequest(body, ['file'], { language: aText, prompt: aText, response_format: aText, stream: aBoolean }),
  query: plainDemand,
  fault: missing('text', 'text'),
  usage: usageIn,
  bounding: lateValue(async () => (await import('./media/bounding.ts')).boundingTranscription),
  reader: () => new MediaEventsReader(/^transcript\.text\.done$/),
  toStream: heardEvents,
  streamOf: (type) => (/^(text\/(?!html)|application\/x-subrip|$)/i.test(type) ? heardStage() : undefined),
}

/** An English text from speech of any language. */
export const translations: Operation = {
  ...transcriptions,
  ...operationFacts.translations,
  streams: () => false,
}
