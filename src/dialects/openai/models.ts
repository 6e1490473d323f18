import type { Gateway } from '../../gateway.ts'
import { unknownModel } from '../../wire/errors.ts'
import type { JsonObject } from '../../wire/json.ts'
import type { LookUp, LookUpRoute } from '../dialect.ts'
import { wordsOn } from './words.ts'

/** The lists of models, at today's paths and those of 2023. */
export const modelRoutes: readonly LookUpRoute[] = [
  { method: 'GET', path: '/models', look: list, refuse: wordsOn('/models') },
  { method: 'GET', path: '/models/{model}', look: retrieve, refuse: wordsOn('/models/{model}') },
  { method: 'GET', path: '/openai/models', look: list, refuse: wordsOn('/models') },
  { method: 'GET', path: '/engines', look: list, refuse: wordsOn('/engines') },
  { method: 'GET', path: '/engines/{model}', look: retrieve, refuse: wordsOn('/engines/{model}') },
]

async function list(gateway: Gateway, { parameters }: LookUp): Promise<JsonObject> {
  const data = await gateway.models()
  // Only Codex says so, and it reads nothing else.
  if (!parameters.has('client_version')) return { object: 'list', data }
  const { codexModels } = await import('./codex.ts')
  return { object: 'list', data, models: codexModels(data) }
}

async function retrieve(gateway: Gateway, { model: id = '' }: LookUp): Promise<JsonObject> {
  const model = id === '' ? undefined : await gateway.model(id)
  if (!model) throw unknownModel(id)
  return { ...model }
}
