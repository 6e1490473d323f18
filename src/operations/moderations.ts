import type { Operation } from '../core/operation.ts'
import { checkRequest, textOrList } from './fields.ts'
import { plainDemand } from './images.ts'
import { missing } from './typed-events.ts'

/** Whether texts or images are harmful, by category. */
export const moderations: Operation = {
  name: 'moderations',
  path: '/moderations',
  routes: ['/moderations'],
  usualModel: 'omni-moderation-latest',
  check: (body) => checkRequest(body, ['input'], { input: textOrList }),
  query: plainDemand,
  fault: missing('results', 'list'),
}
