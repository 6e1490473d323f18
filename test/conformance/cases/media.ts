import type { Ask, Cases, Got } from '../cells.ts'
import type { Target } from '../targets.ts'
import { errorAsks } from './errors.ts'

/** No recorded server has these routes; scripted ones have. */
const upstream = 'err_404'
const events = 'text/event-stream; charset=utf-8'

const file = new Blob(['RIFF'], { type: 'audio/wav' })
const image = new Blob(['\x89PNG'], { type: 'image/png' })

const asked = (more: Partial<Ask>): Ask => ({ about: 'whole', upstream, ...more })
const streamed = (more: Partial<Ask>): Ask => ({ about: 'streamed', upstream, type: events, ...more })
const has =
  (text: string) =>
  ({ text: got }: Got) =>
    got.includes(text) ? undefined : `it says ${got.slice(0, 200)}`

/** Of a form, which has no wrong types: its fields are texts. */
const errorsOfForm = (target: Target, good: Ask, needed: string): readonly Ask[] => {
  const { [needed]: _, ...rest } = good.form ?? {}
  const incomplete = { about: 'a missing field', upstream, form: rest, refusal: { status: 400, param: needed } }
  return [incomplete, ...errorAsks(target, good)]
}

const prompt = { prompt: 'a fox' }
const generated = asked({ body: prompt, check: has('b64_json') })
export const imageCases: Cases = {
  plain: () => [generated],
  stream: () => [streamed({ body: { ...prompt, stream: true }, check: has('image_generation.completed') })],
  errors: (target) => errorAsks(target, generated, { invalid: { prompt: 5 }, param: 'prompt' }),
}

const edited = asked({ form: { ...prompt, image }, check: has('b64_json') })
export const imageEditCases: Cases = {
  plain: () => [edited],
  stream: () => [streamed({ form: { ...prompt, image, stream: 'true' }, check: has('image_edit.completed') })],
  errors: (target) => errorsOfForm(target, edited, 'image'),
}

const varied = asked({ form: { image }, check: has('b64_json') })
export const imageVariationCases: Cases = {
  plain: () => [varied],
  errors: (target) => errorsOfForm(target, varied, 'image'),
}

const spoken = { input: 'Hello', voice: 'alloy' }
const audio = asked({ body: spoken, type: 'audio/mpeg', check: has('ID3') })
export const speechCases: Cases = {
  plain: () => [audio],
  stream: () => [streamed({ body: { ...spoken, stream_format: 'sse' }, check: has('speech.audio.done') })],
  errors: (target) => errorAsks(target, audio, { invalid: { input: 5 }, param: 'input' }),
}

const heard = asked({ form: { file }, check: has('Hello') })
const subtitles = asked({ form: { file, response_format: 'srt' }, type: 'text/plain', check: has('-->') })
export const transcriptionCases: Cases = {
  plain: () => [heard, subtitles],
  stream: () => [streamed({ form: { file, stream: 'true' }, check: has('transcript.text.done') })],
  errors: (target) => errorsOfForm(target, heard, 'file'),
}

export const translationCases: Cases = {
  plain: () => [heard, subtitles],
  errors: (target) => errorsOfForm(target, heard, 'file'),
}
