import type { Answer } from '../../../src/core/answer.ts'
import type { ServedRequest } from '../../../src/core/served.ts'
import { refuseFields } from '../../../src/operations/media/answers.ts'
import { checkFormat, voiceAnswer } from '../../../src/operations/media/voice.ts'
import type { JsonObject } from '../../../src/wire/json.ts'
import { bytesOf, fileOf, jsonOf, malformed, posted, typeOf } from '../../exchange.ts'
import { type Route, routeOf } from './route.ts'
import { prediction } from './tasks.ts'

interface Recording {
  readonly bytes: Uint8Array
  readonly type: string
}

type Speaker = (request: ServedRequest, route: Route) => Promise<Recording>

/** Speech from a text, by Hugging Face's own servers and by the inference providers behind its router. */
export async function speech(request: ServedRequest): Promise<Answer> {
  const { context, stream } = request
  const route = await routeOf(request, 'text-to-speech', speakers)
  const { bytes, type } = await (speakers[route.provider] as Speaker)(request, route)
  if (!type.startsWith('audio/')) throw malformed(`${type} instead of audio`)
  checkFormat(context.body, type)
  return voiceAnswer(bytes, type, stream)
}

const speakers: Readonly<Record<string, Speaker>> = {
  async 'hf-inference'(request, { root, model }) {
    const { body } = request.context
    refuseFields(body, { voice: ['default'], speed: [1], instructions: [] })
    return await recordingIn(await posted(request, model ? `${root}/models/${model}` : root, { inputs: body.input }))
  },
  together: openaiSpeaker('/v1/audio/speech'),
  deepinfra: openaiSpeaker('/v1/openai/audio/speech'),
  async 'fal-ai'(request, { root, model }) {
    const { input, ...more } = foreign(request.context.body)
    const { audio } = await jsonOf(await posted(request, `${root}/${model}`, { text: input, ...more }))
    return await fileOf(request, typeof audio === 'object' ? (audio as JsonObject | null)?.url : audio)
  },
  async replicate(request, route) {
    const { input, ...more } = foreign(request.context.body)
    const output = await prediction(request, route, { text: input, ...more })
    return await fileOf(request, [output].flat()[0])
  },
}

/** Those that have OpenAI's own route, below another path. */
function openaiSpeaker(path: string): Speaker {
  return async (request, { root, model }) => {
    const { stream_format: _, ...body } = request.context.body
    return await recordingIn(await posted(request, root + path, { ...body, model }))
  }
}

async function recordingIn(response: Awaited<ReturnType<typeof posted>>): Promise<Recording> {
  return { bytes: await bytesOf(response), type: typeOf(response) }
}

/** The fields for providers whose models have parameters of their own; `voice` and `speed` are common to them. */
function foreign(body: JsonObject): JsonObject {
  refuseFields(body, { instructions: [] })
  const { model: _, stream_format: __, response_format: ___, instructions: ____, ...rest } = body
  return rest
}
