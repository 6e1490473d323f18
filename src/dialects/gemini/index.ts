import type { Operation } from '../../core/operation.ts'
import { type RequestBody, renamed } from '../../wire/body.ts'
import type { Dialect, DialectRoute, InferenceRoute } from '../dialect.ts'
import { type Framing, reframed } from '../reframed.ts'
import { type Collection, listAddresses, type Method, methodAddresses, modelAddresses } from './addresses.ts'
import { countContentTokens } from './count-tokens.ts'
import { batchEmbedContents, embedContent } from './embed.ts'
import { generateContent, streamGenerateContent } from './generate.ts'
import { listModels, retrieveModel } from './models.ts'
import { refuse } from './words.ts'

const operations: Readonly<Record<Method, Operation>> = {
  generateContent,
  streamGenerateContent,
  countTokens: countContentTokens,
  embedContent,
  batchEmbedContents,
}

const words = { refuse, keyParameter: 'key' }

/** Google's Gemini API: https://ai.google.dev/api */
export const gemini: Dialect<DialectRoute> = {
  routes: [
    ...methodAddresses.map(({ collection, name, method, path }) =>
      routeOf(operations[name], { collection, method, path }),
    ),
    ...listAddresses.map((address) => ({ ...address, ...words, method: 'GET' as const, look: listModels })),
    ...modelAddresses.map((address) => ({ ...address, ...words, method: 'GET' as const, look: retrieveModel })),
  ],
}

/** A blank is nothing between the elements of a list. */
const list: Framing = { type: 'application/json; charset=UTF-8', start: '[', between: ',\r\n', end: ']', beat: ' ' }

interface Found extends Pick<InferenceRoute, 'method' | 'path'> {
  readonly collection: Collection
}

function routeOf(operation: Operation, { collection, ...address }: Found): InferenceRoute {
  return {
    ...address,
    ...words,
    request(given: RequestBody, model = '') {
      const body = renamed(given, nameIn(collection, model))
      operation.check(body)
      return { operation, body }
    },
    answer: (answer, _asked, url = '') =>
      new URL(url).searchParams.get('alt') === 'sse' ? answer : reframed(answer, list),
  }
}

/** A tuned model has its collection in its name, behind that of a provider: `google/tunedModels/mine`. */
function nameIn(collection: Collection, model: string): string {
  if (collection === 'models') return model
  const start = model.lastIndexOf('/') + 1
  return `${model.slice(0, start)}${collection}/${model.slice(start)}`
}
