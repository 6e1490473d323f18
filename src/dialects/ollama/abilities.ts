import { isObject, type JsonObject, objectAt } from '../../wire/json.ts'
import type { ListedModel } from '../../wire/listed-model.ts'
import { familyOf } from './details.ts'

/** No list of a provider says it of a model that only embeds, but their names do. */
const embedding = /(^|[^a-z])embed/i

/**
 * What a model can do, in Ollama's words: https://github.com/ollama/ollama/blob/main/types/model/capability.go. Nearly all
 * call tools, and few lists say so, while clients leave out the models that can't: only what is known not to has not
 * `tools`. Whether it sees or thinks has to be known.
 */
export function capabilitiesOf(model: ListedModel): readonly string[] {
  const { architecture, supported_parameters: parameters } = model
  const abilities = objectAt(model, 'capabilities')
  const gives = listIn(architecture, 'output_modalities')
  if (gives.includes('embeddings') || (gives.length === 0 && embedding.test(model.root ?? model.id)))
    return ['embedding']
  const known = Array.isArray(parameters) ? parameters : []
  const sees = abilities?.vision === true || listIn(architecture, 'input_modalities').includes('image')
  return [
    'completion',
    ...(abilities?.function_calling === false ? [] : ['tools']),
    ...(sees ? ['vision'] : []),
    ...(abilities?.reasoning === true || known.includes('reasoning') ? ['thinking'] : []),
  ]
}

/** What pickers of models read: the name that they show, and the length of the context by the architecture's name. */
export function infoOf(model: ListedModel): JsonObject {
  const { id, context_length: length } = model
  const family = familyOf(model)
  return {
    'general.architecture': family,
    'general.basename': id,
    ...(typeof length === 'number' && { [`${family}.context_length`]: length }),
  }
}

function listIn(value: unknown, key: string): readonly unknown[] {
  const list = isObject(value) ? value[key] : undefined
  return Array.isArray(list) ? list : []
}
