import type { Answer } from '../../src/core/answer.ts'
import type { ServedRequest } from '../../src/core/served.ts'
import { unsupported } from '../../src/operations/media/answers.ts'
import { voiceAnswer } from '../../src/operations/media/voice.ts'
import { fileOf, jsonOf, malformed, posted } from '../exchange.ts'

/**
 * Mistral's speech, whose voice is a `voice_id`, and whose audio comes as base64 in JSON.
 * https://docs.mistral.ai/studio/audio/text-to-speech/generate-speech
 */
export async function speech(request: ServedRequest): Promise<Answer> {
  const { context, settings, stream } = request
  const { voice, stream_format: _, response_format: format = 'mp3', ...rest } = context.body
  const type = types[String(format)]
  if (!type) throw unsupported('response_format', `Here it is one of ${Object.keys(types).join(', ')}.`)
  const answer = await jsonOf(
    await posted(request, `${settings.baseURL}/audio/speech`, {
      ...{ ...rest, model: context.model, response_format: format },
      ...(voice !== undefined && { voice_id: voice }),
    }),
  )
  if (typeof answer.audio_data !== 'string') throw malformed('no audio')
  const { bytes } = await fileOf(request, `data:${type};base64,${answer.audio_data}`)
  return voiceAnswer(bytes, type, stream)
}

const types: Readonly<Record<string, string>> = {
  mp3: 'audio/mpeg',
  wav: 'audio/wav',
  flac: 'audio/flac',
  opus: 'audio/ogg',
  pcm: 'audio/pcm',
}
