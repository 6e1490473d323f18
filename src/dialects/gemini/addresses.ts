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

/** A method of a model, in all versions of the API; that of version 1 goes without it. Tuned models embed nothing. */
export const methodAddresses = ['/v1beta', '/v1alpha', ''].flatMap((version) =>
  [
    ...methods.map((name) => addressOf('models', name)),
    ...methods.slice(0, 3).map((name) => addressOf('tunedModels', name)),
  ].map((address) => ({ ...address, path: version + address.path })),
)

function addressOf(collection: Collection, name: Method) {
  return { collection, name, method: 'POST' as const, path: `/${collection}/{model}:${name}` }
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
  ...methodAddresses.map(({ method, path }) => ({ method, path })),
  ...listAddresses,
  ...modelAddresses,
]
