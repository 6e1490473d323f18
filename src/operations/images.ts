import { lateValue } from '../core/late.ts'
import type { Operation } from '../core/operation.ts'
import type { RequestBody } from '../wire/body.ts'
import type { JsonObject } from '../wire/json.ts'
import { countOf } from './common/bounding.ts'
import { aBoolean, anArray, anInteger, aText, checkBounds, checkRequest } from './common/fields.ts'
import { missing } from './common/missing.ts'
import { plainDemand } from './common/plain-demand.ts'
import { MediaEventsReader } from './common/typed-events.ts'
import { usageIn } from './common/usage.ts'
import { operationFacts } from './facts.ts'
import { sharingImages } from './images/sharing.ts'
import { picturesStream } from './media/pictures.ts'

/** Throws a 400 for what is missing or wrong. */
function check(body: RequestBody, required: readonly string[]): void {
  checkRequest(body, required, types)
  checkBounds('n', body.outline.n, { least: 1, most: 10 })
}

const types = { prompt: aText, n: anInteger, size: aText, stream: aBoolean, partial_images: anInteger, images: anArray }

/** Of a form, `n` is a text. */
const pieces = ({ n }: JsonObject) => ({ images: countOf(Number(n)) })

const edited = lateValue(async () => (await import('./media/bounding.ts')).boundingEdits)

/** An image from a text. */
export const images: Operation = {
  ...operationFacts.images,
  usualModel: 'dall-e-2',
  check: (body) => check(body, ['prompt']),
  query: plainDemand,
  fault: missing('data', 'list'),
  usage: usageIn,
  pieces,
  bounding: lateValue(async () => (await import('./media/bounding.ts')).boundingImages),
  sharing: sharingImages,
  reader: () => new MediaEventsReader(/^image_generation\.completed$/),
  toStream: (answer, context) => picturesStream(answer, 'image_generation.completed', context),
}

/** An image from others and a text. */
export const imageEdits: Operation = {
  ...images,
  ...operationFacts.imageEdits,
  forms: true,
  bounding: edited,
  // Of JSON and of forms the names differ: a list of references, or the files themselves.
  check: (body) => check(body, ['prompt', 'images' in body.outline ? 'images' : 'image']),
  reader: () => new MediaEventsReader(/^image_edit\.completed$/),
  toStream: (answer, context) => picturesStream(answer, 'image_edit.completed', context),
}

/** Other images like one. */
export const imageVariations: Operation = {
  ...operationFacts.imageVariations,
  forms: true,
  usualModel: 'dall-e-2',
  check: (body) => check(body, ['image']),
  query: plainDemand,
  fault: missing('data', 'list'),
  usage: usageIn,
  pieces,
  bounding: edited,
  sharing: sharingImages,
}
