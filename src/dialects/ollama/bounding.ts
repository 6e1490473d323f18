import type { Bounding } from '../../core/bounding.ts'
import { countParts, limitAmong, withField } from '../../operations/common/bounding.ts'
import { isObject } from '../../wire/json.ts'

export const boundingOllama: Bounding = {
  output: ({ options }) => ({ tokens: limitAmong(isObject(options) ? options.num_predict : undefined), answers: 1 }),
  limited(body, tokens) {
    const { options } = body.json
    return withField(body, 'options', { ...(isObject(options) && options), num_predict: tokens })
  },
  media: ({ messages, images }) =>
    (Array.isArray(images) ? images.length : 0) +
    countParts(messages, (part) => Array.isArray(part.images) && part.images.length > 0),
}
