import type { Operation } from '../core/operation.ts'
import { identifier } from '../wire/ids.ts'
import { accumulateCompletion } from './accumulate.ts'
import { ChoicesReader, choicesFault, usageIn } from './choices.ts'
import { completionChunks } from './chunks.ts'
import { continuingCompletion } from './continuing.ts'
import { demandOf } from './demand.ts'
import { choicesFeatures } from './features.ts'
import { choicesRepair } from './repair/index.ts'
import { sharingChoices } from './sharing-choices.ts'
import { validateCompletion } from './validate.ts'

/** The legacy completions of 2023. */
export const completions: Operation = {
  name: 'completions',
  path: '/completions',
  routes: ['/completions', '/engines/{model}/completions'],
  id: (random) => identifier('cmpl-', random),
  check: validateCompletion,
  query: demandOf,
  fault: choicesFault('text'),
  usage: usageIn,
  features: choicesFeatures,
  reader: (asked) => new ChoicesReader(asked),
  continuing: continuingCompletion,
  repair: choicesRepair,
  sharing: sharingChoices,
  toWhole: accumulateCompletion,
  toStream: completionChunks,
}
