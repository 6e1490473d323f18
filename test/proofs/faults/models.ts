import type { IncomingMessage, ServerResponse } from 'node:http'

/** The upstream's names for the first deployments start with the former; the latter is the fallback. */
export const primary = 'primary'
export const spare = 'spare'

const names = [primary, spare]

/** Answers what is no request to a model: the lists of models of all wires. */
export function answerOther(request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(other(request.url ?? '')))
}

function other(path: string): object {
  if (path.endsWith('/api/tags')) return { models: names.map((name) => ({ name, model: name })) }
  if (path.endsWith('/api/show')) return { capabilities: ['completion'], model_info: {} }
  if (path.includes('/v1beta/models')) return { models: names.map((name) => ({ name: `models/${name}` })) }
  return { object: 'list', data: names.map((id) => ({ id, object: 'model' })) }
}
