import { lateValue } from '../../core/late.ts'
import type { Shareable } from '../../core/operation.ts'
import { wantedBy } from './wanted.ts'

/** Shares out the choices of a request. */
export const sharingChoices: Shareable = {
  param: 'n',
  concerns: (asked) => wantedBy(asked) > 1,
  how: lateValue(async () => (await import('./choice-by-choice.ts')).choiceByChoice),
}
