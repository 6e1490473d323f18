import { chat } from '../../operations/chat.ts'
import { operationFacts } from '../../operations/facts.ts'
import { type Dialect, late } from '../dialect.ts'
import { modelRoutes } from './models.ts'
import { addressesOf, explainAddress, routesOf } from './operation-routes.ts'

/** OpenAI's API, today's and that of 2023. The gateway uses its format internally, so nothing is translated. */
export const openai: Dialect = {
  routes: [
    ...routesOf(chat),
    ...late(
      [
        ...Object.values(operationFacts)
          .filter(({ name }) => name !== chat.name)
          .flatMap(addressesOf),
        explainAddress,
      ],
      () => import('./rest.ts').then((m) => m.rest),
    ),
    ...modelRoutes,
  ],
}
