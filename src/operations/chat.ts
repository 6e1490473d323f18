import { lateValue } from '../core/late.ts'
import type { Operation } from '../core/operation.ts'
import { identifier } from '../wire/ids.ts'
import { accumulateChat } from './choices/accumulate.ts'
import { chatChunks } from './choices/chunks.ts'
import { renewingCustomTools } from './choices/custom-tools.ts'
import { demandOf } from './choices/demand.ts'
import { choicesFeatures, imageAddresses } from './choices/features.ts'
import { renewingFunctions } from './choices/functions.ts'
import { logprobsOmission } from './choices/logprobs.ts'
import { ChoicesReader, choicesConclusion, choicesFault } from './choices/reader.ts'
import { requiredCall } from './choices/required-call.ts'
import { sharingChoices } from './choices/sharing.ts'
import { singleCall } from './choices/single-call.ts'
import { validateChat } from './choices/validate.ts'
import { addedUsage, usageIn } from './common/usage.ts'
import { operationFacts } from './facts.ts'

export const chat: Operation = {
  ...operationFacts.chat,
  id: (random) => identifier('chatcmpl-', random),
  check: validateChat,
  query: demandOf,
  fault: choicesFault('message'),
  usage: usageIn,
  conclusion: choicesConclusion,
  features: choicesFeatures,
  omission: logprobsOmission,
  renewals: [renewingFunctions, renewingCustomTools, singleCall],
  structure: lateValue(async () => (await import('./choices/structure.ts')).structureFor),
  requirement: requiredCall,
  withUsageOf: (answer, { usage }) => ({ ...answer, usage: addedUsage(answer.usage, usage) }),
  bounding: lateValue(async () => (await import('./choices/bounding.ts')).boundingChat),
  images: imageAddresses,
  reader: (asked) => new ChoicesReader(asked),
  continuing: lateValue(async () => (await import('./choices/continuing.ts')).continuingChat),
  sharing: sharingChoices,
  repair: lateValue(async () => (await import('./repair/index.ts')).chatRepair),
  toWhole: accumulateChat,
  toStream: chatChunks,
}
