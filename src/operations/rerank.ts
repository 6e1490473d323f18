import { atHand, lateValue } from '../core/late.ts'
import type { Operation } from '../core/operation.ts'
import { anArray, anInteger, aText, checkBounds, checkRequest } from './common/fields.ts'
import { plainDemand } from './common/plain-demand.ts'
import { usageIn } from './common/usage.ts'
import { operationFacts } from './facts.ts'
import { mendRerank, rerankFault } from './rerank/answer.ts'

/** The order of documents by how well they answer a query, in the form of Cohere and Jina, which OpenAI has none of. */
export const rerank: Operation = {
  ...operationFacts.rerank,
  check(body) {
    checkRequest(body, ['query', 'documents'], { query: aText, documents: anArray, top_n: anInteger })
    checkBounds('top_n', body.outline.top_n, { least: 1 })
  },
  query: plainDemand,
  fault: rerankFault,
  usage: usageIn,
  bounding: lateValue(async () => (await import('./common/reading.ts')).boundingRerank),
  repair: atHand({ answer: mendRerank }),
}
