import type { Operation } from '../core/operation.ts'
import { identifier } from '../wire/ids.ts'
import { accumulateChat } from './accumulate.ts'
import { ChoicesReader, choicesFault, usageIn } from './choices.ts'
import { chatChunks } from './chunks.ts'
import { continuingChat } from './continuing.ts'
import { demandOf } from './demand.ts'
import { choicesFeatures, imageAddresses } from './features.ts'
import { renewingFunctions } from './functions.ts'
import { chatRepair } from './repair/index.ts'
import { sharingChoices } from './sharing-choices.ts'
import { structureFor } from './structure.ts'
import { addedUsage } from './usage.ts'
import { validateChat } from './validate.ts'

export const chat: Operation = {
  name: 'chat',
  path: '/chat/completions',
  routes: ['/chat/completions', '/engines/{model}/chat/completions'],
  id: (random) => identifier('chatcmpl-', random),
  check: validateChat,
  query: demandOf,
  fault: choicesFault('message'),
  usage: usageIn,
  features: choicesFeatures,
  renewal: renewingFunctions,
  structure: structureFor,
  withUsageOf: (answer, { usage }) => ({ ...answer, usage: addedUsage(answer.usage, usage) }),
  images: imageAddresses,
  reader: (asked) => new ChoicesReader(asked),
  continuing: continuingChat,
  sharing: sharingChoices,
  repair: chatRepair,
  toWhole: accumulateChat,
  toStream: chatChunks,
}
