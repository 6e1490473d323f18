import type { Operation } from '../core/operation.ts'

/** All operations: what is known of each before its code is loaded. A new one needs a line here and in all.ts. */
export const operationFacts = {
  chat: { name: 'chat', path: '/chat/completions', routes: ['/chat/completions', '/engines/{model}/chat/completions'] },
  completions: { name: 'completions', path: '/completions', routes: ['/completions', '/engines/{model}/completions'] },
  embeddings: { name: 'embeddings', path: '/embeddings', routes: ['/embeddings', '/engines/{model}/embeddings'] },
  images: { name: 'images', path: '/images/generations', routes: ['/images/generations'] },
  imageEdits: { name: 'imageEdits', path: '/images/edits', routes: ['/images/edits'] },
  imageVariations: { name: 'imageVariations', path: '/images/variations', routes: ['/images/variations'] },
  speech: { name: 'speech', path: '/audio/speech', routes: ['/audio/speech'] },
  transcriptions: { name: 'transcriptions', path: '/audio/transcriptions', routes: ['/audio/transcriptions'] },
  translations: { name: 'translations', path: '/audio/translations', routes: ['/audio/translations'] },
  moderations: { name: 'moderations', path: '/moderations', routes: ['/moderations'] },
  rerank: { name: 'rerank', path: '/rerank', routes: ['/rerank'] },
  realtime: { name: 'realtime', path: '/realtime', routes: [] },
  responses: { name: 'responses', path: '/responses', routes: ['/responses'] },
  compaction: { name: 'compaction', path: '/responses/compact', routes: ['/responses/compact'] },
  inputTokens: { name: 'inputTokens', path: '/responses/input_tokens', routes: ['/responses/input_tokens'] },
} as const satisfies Readonly<Record<string, Pick<Operation, 'name' | 'path' | 'routes'>>>

export type OperationName = keyof typeof operationFacts

/** The paths at which clients open one, without `/v1`; the last one is Azure's. */
export const realtimePaths: readonly string[] = ['/realtime', '/realtime/translations', '/openai/realtime']
