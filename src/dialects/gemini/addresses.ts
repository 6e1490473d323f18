import type { Address } from '../dialect.ts'

/** Google's clients send their key so, those of OpenAI never. */
const claims: Address['claims'] = (header) => header('x-goog-api-key') !== undefined

const methods = [
  'generateContent',
  'streamGenerateContent',
  'countTokens',
  'embedContent',
  'batchEmbedContents',
] as const
export type Method = (typeof methods)[number]

export type Collection = 'models' | 'tunedModels'

/**
 * A method of a model, in all versions of the API; that of version 1 goes without it. Tuned models embed nothing.
 * @ai-sdk/google and @google/generative-ai put a name with a slash into the path as it is: `/v1beta/openai/gpt-5:…`.
 */
export const methodAddresses = ['/v1beta', '/v1alpha', ''].flatMap((version) => [
  ...methods.map((name) => addressOf('models', name, `${version}/models`)),
  ...methods.slice(0, 3).map((name) => addressOf('tunedModels', name, `${version}/tunedModels`)),
  ...methods.map((name) => ({ ...addressOf('models', name, version), last: true })),
])

function addressOf(collection: Collection, name: Method, parent: string) {
  return { collection, name, method: 'POST' as const, path: `${parent}/{model}:${name}`, last: false }
}

export const listAddresses: readonly Address[] = [
  { method: 'GET', path: '/v1beta/models' },
  { method: 'GET', path: '/models', claims },
]

export const modelAddresses: readonly Address[] = [
  { method: 'GET', path: '/v1beta/models/{model}' },
  { method: 'GET', path: '/models/{model}', claims },
]

/** Where the dialect is found: all of it that is loaded at start. */
export const addresses: readonly Address[] = [
  ...methodAddresses.map(({ method, path, last }) => ({ method, path, last })),
  ...listAddresses,
  ...modelAddresses,
]
