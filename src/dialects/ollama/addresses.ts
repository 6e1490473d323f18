import type { Address } from '../dialect.ts'

/** https://github.com/ollama/ollama/blob/main/docs/api.md */
export const addresses: readonly Address[] = [
  { method: 'POST', path: '/api/chat' },
  { method: 'POST', path: '/api/generate' },
  { method: 'POST', path: '/api/embed' },
  { method: 'POST', path: '/api/embeddings' },
  { method: 'GET', path: '/api/tags' },
  { method: 'GET', path: '/api/ps' },
  { method: 'GET', path: '/api/version' },
  { method: 'POST', path: '/api/show' },
  { method: 'POST', path: '/api/pull' },
  { method: 'POST', path: '/api/create' },
  { method: 'POST', path: '/api/copy' },
  { method: 'POST', path: '/api/push' },
  { method: 'DELETE', path: '/api/delete' },
  { method: 'POST', path: '/api/blobs/{model}' },
]
