import { parseBody, type RequestBody, withModel } from '../wire/body.ts'
import { GatewayError, shorten } from '../wire/errors.ts'
import { type Catalog, findGroup, type Known } from './catalog.ts'
import type { Provider } from './provider.ts'

/** Names that only a list knows are the provider's own already. */
const noLists: Known = new Map()

/**
 * The JSON of a request that goes to a provider as it is, with that provider's name for the model if it has one of the
 * configuration's. Throws a 404 if the configuration has the model elsewhere.
 */
export function withOwnModel(
  bytes: Uint8Array,
  { name }: Provider,
  catalog: Catalog,
  path: string,
): readonly Uint8Array[] {
  const body = readable(bytes)
  const group = body?.model === undefined ? undefined : findGroup(catalog, body.model, noLists)
  if (!body || !group) return [bytes]
  const { deployments } = group
  const own = deployments.find(({ provider }) => provider.name === name)
  if (own) return withModel(body, own.model)
  // A pattern may be meant for other routes: it doesn't say that there is such a model.
  if (group.name.includes('*')) return [bytes]
  const places = [...new Set(deployments.map(({ provider }) => provider.name))].join(', ')
  const message = `${path.replace(/\?.*/s, '')} isn't served for the model \`${shorten(body.model ?? '')}\`: such requests go to ${name}, and the model is at ${places}.`
  throw new GatewayError('wrong_endpoint', message, { param: 'model' })
}

/** What is no such request is the provider's to refuse. */
function readable(bytes: Uint8Array): RequestBody | undefined {
  try {
    return parseBody(bytes)
  } catch {
    return undefined
  }
}
