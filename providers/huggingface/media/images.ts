import type { Answer } from '../../../src/core/answer.ts'
import type { ServedRequest } from '../../../src/core/served.ts'
import { refuseFields, unsupported } from '../../../src/operations/media/answers.ts'
import { type Picture, pictureOf, picturesAnswer, sizeOf } from '../../../src/operations/media/pictures.ts'
import { isObject, type JsonObject } from '../../../src/wire/json.ts'
import { bytesOf, fileOf, jsonOf, malformed, posted, typeOf } from '../../exchange.ts'
import { type Route, routeOf } from './route.ts'
import { falQueue, prediction, waveSpeed } from './tasks.ts'

interface Asked {
  readonly prompt: unknown
  readonly size: { readonly width: number; readonly height: number } | undefined
  /** Parameters that OpenAI doesn't have, by their names on Hugging Face. */
  readonly more: JsonObject
  readonly format: unknown
}

type Painter = (request: ServedRequest, route: Route, asked: Asked) => Promise<readonly Picture[]>

/** Images from a text, by Hugging Face's own servers and by the inference providers behind its router. */
export async function images(request: ServedRequest): Promise<Answer> {
  const { context, stream } = request
  const { prompt, output_format: format } = context.body
  refuseFields(context.body, refused)
  const size = sizeOf(context.body)
  const more = Object.fromEntries(Object.entries(context.body).filter(([name]) => !own.has(name)))
  const route = await routeOf(request, 'text-to-image', painters)
  if (format && !formats[route.provider]?.includes(String(format))) throw unsupported('output_format')
  const pictures = await (painters[route.provider] as Painter)(request, route, { prompt, size, more, format })
  if (pictures.length === 0) throw malformed('no image')
  return picturesAnswer(pictures, context, stream)
}

/** What none of them does, with the values that ask for nothing. */
const refused = {
  quality: ['auto', 'standard'],
  style: [],
  background: ['auto', 'opaque'],
  moderation: ['auto'],
  output_compression: [100],
  partial_images: [0],
  response_format: ['b64_json', 'url'],
}

const own: ReadonlySet<string> = new Set([
  ...Object.keys(refused),
  ...['model', 'prompt', 'n', 'size', 'user', 'stream', 'output_format'],
])

/** Which formats can be asked for. */
const formats: Readonly<Record<string, readonly string[]>> = { 'fal-ai': ['png', 'jpeg'], together: ['png', 'jpeg'] }

const painters: Readonly<Record<string, Painter>> = {
  async 'hf-inference'(request, { root, model }, { prompt, size, more }) {
    const url = model ? `${root}/models/${model}` : root
    const response = await posted(request, url, { inputs: prompt, parameters: { ...size, ...more } })
    const type = typeOf(response)
    return type.startsWith('image/')
      ? [pictureOf(await bytesOf(response), type)]
      : await picturesIn(request, await jsonOf(response))
  },
  async together(request, { root, model }, { prompt, size, more, format }) {
    const { num_inference_steps: steps, guidance_scale: guidance, ...rest } = more
    const body = { model, prompt, response_format: 'base64', ...size, ...rest }
    const known = { ...(format ? { output_format: format } : {}), ...given({ steps, guidance }) }
    return await picturesIn(
      request,
      await jsonOf(await posted(request, `${root}/v1/images/generations`, { ...body, ...known })),
    )
  },
  nscale: openaiPainter('/v1/images/generations'),
  deepinfra: openaiPainter('/v1/openai/images/generations'),
  async 'fal-ai'(request, route, { prompt, size, more, format }) {
    const answer = await falQueue(request, route, {
      ...{ prompt, ...more },
      ...given({ image_size: size, output_format: format }),
      ...(route.lora && { loras: [{ path: route.lora, scale: 1 }] }),
    })
    return await picturesAt(request, answer.images)
  },
  async replicate(request, route, { prompt, size, more }) {
    return await picturesAt(
      request,
      await prediction(request, route, { prompt, ...size, ...more, ...(route.lora && { lora_weights: route.lora }) }),
    )
  },
  async wavespeed(request, route, { prompt, size, more }) {
    const wanted = size && `${size.width}*${size.height}`
    return await picturesAt(request, await waveSpeed(request, route, { prompt, ...given({ size: wanted }), ...more }))
  },
}

/** Those that have OpenAI's own route, below another path. */
function openaiPainter(path: string): Painter {
  return async (request, { root, model }, { prompt, size, more }) => {
    const body = { model, prompt, response_format: 'b64_json', ...(size && { size: `${size.width}x${size.height}` }) }
    return await picturesIn(request, await jsonOf(await posted(request, root + path, { ...body, ...more })))
  }
}

function given(fields: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
}

/** The images in `{data: [{b64_json}]}`, `{data: [{url}]}` or `{output: [url]}`. */
async function picturesIn(request: ServedRequest, { data, output }: JsonObject): Promise<readonly Picture[]> {
  if (!Array.isArray(data)) return await picturesAt(request, output)
  return await Promise.all(
    data
      .filter(isObject)
      .map(async ({ b64_json: base64, url }) =>
        typeof base64 === 'string' ? { base64, type: undefined } : await pictureAt(request, url),
      ),
  )
}

/** The images at an address, or at a list of them. */
async function picturesAt(request: ServedRequest, files: unknown): Promise<readonly Picture[]> {
  return await Promise.all([files ?? []].flat().map((file) => pictureAt(request, isObject(file) ? file.url : file)))
}

async function pictureAt(request: ServedRequest, url: unknown): Promise<Picture> {
  const { bytes, type } = await fileOf(request, url)
  return pictureOf(bytes, type)
}
