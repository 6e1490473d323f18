import { GatewayError } from '../../wire/errors.ts'

/** The routes of stored responses: the methods of each, and the id in the path. */
const routes: readonly (readonly [methods: string, path: RegExp])[] = [
  ['GET HEAD DELETE', /^\/responses\/([^/]+)$/],
  ['POST', /^\/responses\/([^/]+)\/cancel$/],
  ['GET HEAD', /^\/responses\/([^/]+)\/input_items$/],
]

/** What a request about a stored response gets, since none is stored here; undefined if it isn't about one. */
export function notStored(method: string, path: string): GatewayError | undefined {
  for (const [methods, pattern] of routes) {
    const [, id] = pattern.exec(path) ?? []
    if (id === undefined || !methods.split(' ').includes(method)) continue
    const message = `Response with id '${id.slice(0, 100)}' not found.`
    return new GatewayError('bad_request', message, { status: 404 })
  }
  return undefined
}
