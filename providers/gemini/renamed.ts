import type { WireContext } from '../../src/core/provider.ts'
import { isObject, type JsonObject } from '../../src/wire/json.ts'
import { resourceOf } from './address.ts'

/** A request of Gemini's that names the model inside too, by the name that the API has for it. */
export function renamedInside({ body, model: name }: Pick<WireContext, 'body' | 'model'>): JsonObject {
  const { model: _, ...rest } = body
  const model = resourceOf(name)
  return Object.fromEntries(
    Object.entries(rest).map(([key, value]) => {
      if (key === 'requests' && Array.isArray(value)) {
        return [key, value.map((one) => (isObject(one) ? { ...one, model } : one))]
      }
      return [key, /^generate_?content_?request$/i.test(key) && isObject(value) ? { ...value, model } : value]
    }),
  )
}
