import { atHand, lateValue } from '../core/late.ts'
import type { Operation } from '../core/operation.ts'
import { usageIn } from './common/usage.ts'
import { embeddingsFault, mendEmbeddings } from './embeddings/answer.ts'
import { healEmbeddings } from './embeddings/heal.ts'
import { embeddingsDemand, validateEmbeddings } from './embeddings/request.ts'
import { sharingInputs } from './embeddings/sharing.ts'
import { operationFacts } from './facts.ts'

export const embeddings: Operation = {
  ...operationFacts.embeddings,
  prompt: 'input',
  check: validateEmbeddings,
  query: embeddingsDemand,
  fault: embeddingsFault,
  usage: usageIn,
  bounding: lateValue(async () => (await import('./common/reading.ts')).boundingEmbeddings),
  repair: atHand({ answer: mendEmbeddings }),
  heal: healEmbeddings,
  sharing: sharingInputs,
}
