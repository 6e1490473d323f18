import type { Operation } from '../../core/operation.ts'
import type { RequestBody } from '../../wire/body.ts'
import type { Dialect, DialectRoute, InferenceRoute } from '../dialect.ts'
import { type Framing, reframed } from '../reframed.ts'
import { ollamaChat } from './chat.ts'
import { ollamaEmbed, ollamaEmbeddings } from './embed.ts'
import { generateFor, ollamaGenerate } from './generate.ts'
import { keepingRoutes } from './keeping.ts'
import { libraryRoutes } from './library.ts'
import { refuse } from './words.ts'

/** Ollama's own API, for programs that know no other: each line of a stream is an answer in JSON. */
export const ollama: Dialect<DialectRoute> = {
  routes: [
    ...[ollamaChat, ollamaEmbed, ollamaEmbeddings].map((operation) => routeOf(operation, () => operation)),
    routeOf(ollamaGenerate, generateFor),
    ...libraryRoutes,
    ...keepingRoutes,
  ],
}

/** A blank is nothing before or after JSON, where an empty line is an error to many clients. */
const lines: Framing = { type: 'application/x-ndjson', after: '\n', beat: ' ' }

/** `chosen`: the operation for one request, if there are several. */
function routeOf({ path }: Operation, chosen: (body: RequestBody) => Operation): InferenceRoute {
  return {
    method: 'POST',
    path,
    // `curl -d` says that it is a form, and Ollama reads no types.
    anyType: true,
    request(body) {
      const operation = chosen(body)
      operation.check(body)
      return { operation, body }
    },
    answer: (answer) => reframed(answer, lines),
    refuse,
  }
}
