import type { Cases } from '../cells.ts'
import { compactionCases, inputTokensCases } from './beside-responses.ts'
import { chatCases } from './chat.ts'
import { completionsCases } from './completions.ts'
import { embeddingsCases } from './embeddings.ts'
import {
  imageCases,
  imageEditCases,
  imageVariationCases,
  speechCases,
  transcriptionCases,
  translationCases,
} from './media.ts'
import { modelsCases } from './models.ts'
import { responsesCases } from './responses.ts'
import { moderationCases, rerankCases } from './texts.ts'

/** What is asked on each route, by operation. One without an entry is a row of failures. */
export const cases: Readonly<Record<string, Cases>> = {
  models: modelsCases,
  chat: chatCases,
  completions: completionsCases,
  responses: responsesCases,
  compaction: compactionCases,
  inputTokens: inputTokensCases,
  embeddings: embeddingsCases,
  images: imageCases,
  imageEdits: imageEditCases,
  imageVariations: imageVariationCases,
  speech: speechCases,
  transcriptions: transcriptionCases,
  translations: translationCases,
  moderations: moderationCases,
  rerank: rerankCases,
}
