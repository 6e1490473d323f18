import { unknownModel } from '../../src/wire/errors.ts'

/** The root of the API, whichever of its versions or parts the configured address ends with. */
export function geminiRoot(baseURL: string): string {
  return baseURL.replace(/\/v1(?:alpha|beta)?(?:\/openai)?$/, '')
}

/** The URL of a path in which `{model}` stands for the model. */
export function geminiURL(baseURL: string, path: string, model: string): string {
  return geminiRoot(baseURL) + (path.includes('{model}') ? path.replace('{model}', resourceOf(model)) : path)
}

/** A model's name as the API has it: `models/gemini-2.5-flash`, `tunedModels/…`. */
export function resourceOf(model: string): string {
  const [, collection = 'models', name = model] = /^(models|tunedModels)\/(.*)$/s.exec(model) ?? []
  // URL parsers resolve these as parent paths, even if encoded.
  if (name === '' || name === '.' || name === '..') throw unknownModel(model, 'not_found')
  return `${collection}/${encodeURIComponent(name.toWellFormed())}`
}
