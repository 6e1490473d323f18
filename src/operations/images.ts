import type { Demand, Operation } from '../core/operation.ts'
import type { RequestBody } from '../wire/body.ts'
import { stringAt } from '../wire/json.ts'
import { usageIn } from './choices.ts'
import { aBoolean, anArray, anInteger, aText, checkRequest } from './fields.ts'
import { sharingImages } from './sharing-images.ts'
import { missing, TypedEventsReader } from './typed-events.ts'

/** What a request for something other than a text requires: nothing that is known of a model. */
export function plainDemand({ outline }: RequestBody): Demand {
  return { needs: new Set(), tokens: 0, user: stringAt(outline, 'user') }
}

const types = { prompt: aText, n: anInteger, size: aText, stream: aBoolean, partial_images: anInteger, images: anArray }

/** An image from a text. */
export const images: Operation = {
  name: 'images',
  path: '/images/generations',
  routes: ['/images/generations'],
  usualModel: 'dall-e-2',
  check: (body) => checkRequest(body, ['prompt'], types),
  query: plainDemand,
  fault: missing('data', 'list'),
  usage: usageIn,
  sharing: sharingImages,
  reader: () => new TypedEventsReader(/^image_generation\.completed$/),
}

/** An image from others and a text. */
export const imageEdits: Operation = {
  ...images,
  name: 'imageEdits',
  path: '/images/edits',
  routes: ['/images/edits'],
  forms: true,
  // Of JSON and of forms the names differ: a list of references, or the files themselves.
  check: (body) => checkRequest(body, ['prompt', 'images' in body.outline ? 'images' : 'image'], types),
  reader: () => new TypedEventsReader(/^image_edit\.completed$/),
}

/** Other images like one. */
export const imageVariations: Operation = {
  name: 'imageVariations',
  path: '/images/variations',
  routes: ['/images/variations'],
  forms: true,
  usualModel: 'dall-e-2',
  check: (body) => checkRequest(body, ['image'], types),
  query: plainDemand,
  fault: missing('data', 'list'),
  usage: usageIn,
}
