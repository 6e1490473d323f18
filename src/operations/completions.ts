import { lateValue } from '../core/late.ts'
import type { Operation } from '../core/operation.ts'
import { identifier } from '../wire/ids.ts'
import { accumulateCompletion } from './choices/accumulate.ts'
import { completionChunks } from './choices/chunks.ts'
import { demandOf } from './choices/demand.ts'
import { choicesFeatures } from './choices/features.ts'
import { logprobsOmission } from './choices/logprobs.ts'
import { ChoicesReader, choicesConclusion, choicesFault } from './choices/reader.ts'
import { sharingChoices } from './choices/sharing.ts'
import { validateCompletion } from './choices/validate.ts'
import { usageIn } from './common/usage.ts'
import { operationFacts } from './facts.ts'

/** The legacy completions of 2023. */
export const completions: Operation = {
  ...operationFacts.completions,
  id: (random) => identifier('cmpl-', random),
  check: validateCompletion,
  query: demandOf,
  fault: choicesFault('text'),
  usage: usageIn,
  conclusion: choicesConclusion,
  features: choicesFeatures,
  omission: logprobsOmission,
  bounding: lateValue(async () => (await import('./choices/bounding.ts')).boundingCompletion),
  reader: (asked) => new ChoicesReader(asked),
  continuing: lateValue(async () => (await import('./choices/continuing.ts')).continuingCompletion),
  repair: lateValue(async () => (await import('./repair/index.ts')).choicesRepair),
  sharing: sharingChoices,
  toWhole: accumulateCompletion,
  toStream: completionChunks,
}
