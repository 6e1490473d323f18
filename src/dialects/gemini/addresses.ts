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

/** A method of a model, in all versions of the API; that of version 1 goes without it. */
export const methodAddresses = ['/v1beta', '/v1alpha', ''].flatMap((version) =>
  methods.map((name) => ({ name, method: 'POST' as const, path: `${version}/models/{model}:${name}` })),
)

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
