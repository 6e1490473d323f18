import type { Operation } from '../core/operation.ts'
import { speech, transcriptions, translations } from './audio.ts'
import { chat } from './chat.ts'
import { compaction } from './compaction.ts'
import { completions } from './completions.ts'
import { embeddings } from './embeddings.ts'
import type { OperationName } from './facts.ts'
import { imageEdits, images, imageVariations } from './images.ts'
import { inputTokens } from './input-tokens.ts'
import { moderations } from './moderations.ts'
import { realtime } from './realtime.ts'
import { rerank } from './rerank.ts'
import { responses } from './responses.ts'

/** All operations with their code: it is large, and most gateways only chat. */
export const operations = {
  chat,
  completions,
  embeddings,
  images,
  imageEdits,
  imageVariations,
  speech,
  transcriptions,
  translations,
  moderations,
  rerank,
  realtime,
  responses,
  compaction,
  inputTokens,
} satisfies Record<OperationName, Operation>
