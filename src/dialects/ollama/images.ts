import { GatewayError } from '../../wire/errors.ts'
import { imageTypeOfBase64, unsupportedImage } from '../../wire/image-format.ts'
import type { JsonObject } from '../../wire/json.ts'

/** A message's content with its images, which come as bare base64. `path`: where they are in the request. */
export function withImages(text: string, images: unknown, path: string): string | JsonObject[] {
  if (!Array.isArray(images) || images.length === 0) return text
  const shown = images.map((image, at) => ({
    type: 'image_url',
    image_url: { url: dataURL(image, `${path}[${at}]`) },
  }))
  return text === '' ? shown : [{ type: 'text', text }, ...shown]
}

function dataURL(image: unknown, param: string): string {
  if (typeof image === 'string') {
    if (/^data:image\//i.test(image)) return image
    const type = imageTypeOfBase64(image)
    if (type !== undefined) return `data:${type};base64,${image}`
  }
  throw new GatewayError('incapable', unsupportedImage, { param })
}
