import type { Answer } from '../../../src/core/answer.ts'
import type { ServedRequest } from '../../../src/core/served.ts'
import { refuseFields, unsupported } from '../../../src/operations/media/answers.ts'
import {
  type Hearing,
  hearingOf,
  type Piece,
  type Transcript,
  transcriptAnswer,
} from '../../../src/operations/media/transcript.ts'
import { toBase64 } from '../../../src/wire/base64.ts'
import { isObject, type JsonObject } from '../../../src/wire/json.ts'
import { fetched, fileOf, jsonOf, malformed, posted } from '../../exchange.ts'
import { type Recording, recordingOf } from './recording.ts'
import { type Route, routeOf } from './route.ts'
import { prediction } from './tasks.ts'

type Hearer = (request: ServedRequest, route: Route, hearing: Hearing) => Promise<Transcript>

/** A text from speech, by Hugging Face's own servers and by the inference providers behind its router. */
export async function transcriptions(request: ServedRequest): Promise<Answer> {
  const { body } = request.context
  const hearing = hearingOf(body)
  refuseFields(body, refused)
  const route = await routeOf(request, 'automatic-speech-recognition', hearers)
  const heard = await (hearers[route.provider] as Hearer)(request, route, hearing)
  return transcriptAnswer(heard, hearing, request.stream)
}

const refused = { include: [], chunking_strategy: ['auto'], known_speaker_names: [], known_speaker_references: [] }

const hearers: Readonly<Record<string, Hearer>> = {
  async 'hf-inference'(request, { root, model }, { timed }) {
    const { body } = request.context
    refuseFields(body, { language: [], prompt: [] })
    const temperature = Number(body.temperature ?? 0)
    const parameters = {
      ...(timed && { return_timestamps: timed === 'word' ? 'word' : true }),
      ...(temperature > 0 && { generation_parameters: { temperature, do_sample: true } }),
    }
    const url = model ? `${root}/models/${model}` : root
    const { bytes, type } = await recordingOf(request)
    const isPlain = Object.keys(parameters).length === 0
    const response = isPlain
      ? await fetched(request, { url, type, body: [bytes] })
      : await posted(request, url, { inputs: toBase64(bytes), parameters })
    return transcriptIn(await jsonOf(response))
  },
  async 'fal-ai'(request, { root, model }, { timed, language }) {
    const { body } = request.context
    refuseFields(body, { temperature: [0] })
    return transcriptIn(
      await jsonOf(
        await posted(request, `${root}/${model}`, {
          audio_url: dataURL(await recordingOf(request), falType),
          ...(language && { language }),
          ...(body.prompt ? { prompt: body.prompt } : {}),
          ...(timed === 'word' && { chunk_level: 'word' }),
        }),
      ),
    )
  },
  async replicate(request, route, { language }) {
    const { body } = request.context
    refuseFields(body, { temperature: [0], prompt: [] })
    const audio = dataURL(await recordingOf(request))
    const output = await prediction(request, route, { audio, ...(language && { language }) })
    if (!isObject(output)) return transcriptIn({ text: [output].flat()[0] })
    const text = output.text ?? output.transcription ?? output.translation
    if (typeof text === 'string' || output.txt_file === undefined) return transcriptIn({ ...output, text })
    return { text: new TextDecoder().decode((await fileOf(request, output.txt_file)).bytes) }
  },
  together: openaiHearer('/v1/audio/transcriptions'),
  deepinfra: openaiHearer('/v1/openai/audio/transcriptions'),
}

/** Those that have OpenAI's own route, below another path. They are asked for all, and the client's form is made here. */
function openaiHearer(path: string): Hearer {
  return async (request, { root, model }, { timed }) => {
    const { form, context } = request
    if (!form) throw unsupported('file', 'Send it in a form.')
    const { stream: _, ...fields } = context.body
    const set = new Map(Object.entries({ ...fields, model, response_format: timed ? 'verbose_json' : 'json' }))
    const drop = new Set(Object.keys(form.outline).filter((name) => !set.has(name)))
    const response = await fetched(request, {
      url: root + path,
      type: `multipart/form-data; boundary=${form.boundary}`,
      body: form.edited({ set, drop }),
      rest: form.remainder?.take(),
    })
    return transcriptIn(await jsonOf(response), timed)
  }
}

/** fal's decoder knows a few types only, and these by other names. */
const falTypes: Readonly<Record<string, string>> = {
  'audio/mpeg': 'audio/mpeg',
  'audio/mp3': 'audio/mpeg',
  'audio/wav': 'audio/x-wav',
  'audio/wave': 'audio/x-wav',
  'audio/x-wav': 'audio/x-wav',
  'audio/webm': 'video/webm',
  'video/webm': 'video/webm',
}

function falType(type: string): string {
  const known = falTypes[type.split(';')[0]?.trim() ?? '']
  if (!known) throw unsupported('file', `fal-ai does not take ${type}; it takes MP3, WAV and WebM.`)
  return known
}

function dataURL({ bytes, type }: Recording, named = (given: string) => given): string {
  return `data:${named(type)};base64,${toBase64(bytes)}`
}

/**
 * What was heard, in any of their forms: `text` or `output`, with `chunks` of `timestamp: [from, to]`, or with `segments`
 * or `words` of `start` and `end`.
 */
function transcriptIn(answer: JsonObject, timed?: Hearing['timed']): Transcript {
  const text = answer.text ?? answer.output
  if (typeof text !== 'string') throw malformed('no text')
  const { chunks, words, segments } = answer
  const list = [chunks, ...(timed === 'word' ? [words, segments] : [segments, words])].find(
    (some) => Array.isArray(some) && some.length > 0,
  )
  const pieces = Array.isArray(list) ? list.filter(isObject).flatMap(pieceOf) : []
  const [inferred] = Array.isArray(answer.inferred_languages) ? answer.inferred_languages : [answer.language]
  return {
    text: text.trim(),
    ...(pieces.length > 0 && { pieces }),
    language: typeof inferred === 'string' ? inferred : undefined,
  }
}

function pieceOf({ text, word, timestamp, start: from, end: to }: JsonObject): Piece[] {
  const [start, end] = Array.isArray(timestamp) ? timestamp : [from, to]
  const words = text ?? word
  if (typeof words !== 'string' || typeof start !== 'number') return []
  return [{ text: words, start, end: typeof end === 'number' ? end : undefined }]
}
