import { type JsonObject, objectAt, stringAt } from '../../wire/json.ts'
import type { ListedModel } from '../../wire/listed-model.ts'

/** The architecture of a model's weights; who serves it stands for it where that isn't known. */
export function familyOf(model: ListedModel): string {
  return stringAt(objectAt(model, 'details'), 'family') ?? model.owned_by
}

const quantization = /(?:^|[-_.:/@])((?:IQ|TQ|Q)\d\w*|BF16|F16|F32|MXFP4)(?=$|[-.:@])/i
const size = /(?:^|[-_.:/])((?:\d{1,2}x)?\d{1,4}(?:\.\d{1,2})?[bm])(?=$|[-_.:@])/i

/** What a name such as `llama3.1:8b-instruct-q4_K_M` tells of the weights, as most names of open models do. */
export function detailsInName(name: string): JsonObject {
  const level = quantization.exec(name)?.[1]
  const count = size.exec(name)?.[1]
  return {
    ...(level !== undefined && { format: 'gguf', quantization_level: level.toUpperCase() }),
    ...(count !== undefined && { parameter_size: count.replace(/[bm]$/, (unit) => unit.toUpperCase()) }),
  }
}
