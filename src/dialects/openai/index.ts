import type { Operation } from '../../core/operation.ts'
import { operations } from '../../operations/index.ts'
import { type RequestBody, renamed } from '../../wire/body.ts'
import type { Dialect, InferenceRoute } from '../dialect.ts'
import { chatOf, type Reworded } from './cursor.ts'
import { explainRoute } from './explain.ts'
import { modelRoutes } from './models.ts'
import { wordsOn } from './words.ts'

/** OpenAI's API, today's and that of 2023. The gateway uses its format internally, so nothing is translated. */
export const openai: Dialect = {
  routes: [
    ...Object.values(operations)
      .filter(({ routes }) => routes.length > 0)
      .flatMap((operation) =>
        // Azure's paths: what is a deployment there is a model here.
        [...operation.routes, `/openai/deployments/{model}${operation.path}`].map((path) => routeOf(operation, path)),
      ),
    explainRoute,
    ...modelRoutes,
  ],
}

function routeOf(operation: Operation, path: string): InferenceRoute {
  return {
    method: 'POST',
    path,
    ...(operation.forms && { forms: true }),
    request(given: RequestBody, model) {
      const named = model ?? given.model ?? operation.usualModel
      const asked = named === undefined ? given : renamed(given, named)
      const { body, dropped }: Reworded = operation === operations.chat ? chatOf(asked) : { body: asked }
      operation.check(body)
      return { operation, body, dropped }
    },
    refuse: wordsOn(path),
  }
}
