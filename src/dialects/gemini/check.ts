import { invalid, type RequestBody } from '../../wire/body.ts'
import type { JsonObject } from '../../wire/json.ts'
import { camel, checkNames, configOf, listOf, numbers, objectIn, stopsIn } from './fields.ts'

const roles: ReadonlySet<unknown> = new Set(['user', 'model', 'function', undefined, null, ''])

/** Throws the 400 that Google returns for a request without content, or with something of the wrong type. */
export function checkContents({ outline }: RequestBody): void {
  checkNames(outline)
  checkAsked(camel(outline))
}

export function checkAsked(asked: JsonObject): void {
  const contents = listOf(asked.contents, 'contents')
  if (contents.length === 0) throw invalid('* GenerateContentRequest.contents: contents is not specified', 'contents')
  for (const [at, content] of contents.entries()) {
    const { role, parts } = content
    if (!roles.has(role)) throw invalid('Please use a valid role: user, model.', `contents[${at}].role`)
    if (listOf(parts, `contents[${at}].parts`).length === 0) {
      const path = `GenerateContentRequest.contents[${at}].parts`
      throw invalid(`* ${path}: contents.parts must not be empty.`, `contents[${at}].parts`)
    }
  }
  const config = configOf(asked)
  for (const name of numbers) {
    const value = config[name]
    if (value === undefined || value === null || typeof value === 'number') continue
    throw invalid(`Invalid value at 'generation_config.${name}': a number is expected.`, `generationConfig.${name}`)
  }
  for (const [at, stop] of stopsIn(config).entries()) {
    if (typeof stop === 'string') continue
    const path = `generationConfig.stopSequences[${at}]`
    throw invalid(`Invalid value at 'generation_config.stop_sequences[${at}]' (TYPE_STRING): a text is expected.`, path)
  }
  objectIn(asked, 'toolConfig')
  listOf(asked.tools, 'tools')
}
