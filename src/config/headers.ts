import { hopsHeader } from '../wire/headers.ts'
import { pathText } from './problems.ts'
import { checkCarried, type Environment, type Findings, readVariable } from './secrets.ts'

/**
 * Headers about the connection or the length and form of the body. The HTTP client sets them for each request. One that
 * is configured fails every request on Node (undici refuses it) and is ignored or sent as it is by a Worker.
 */
const ownedByHTTP: ReadonlySet<string> = new Set([
  'connection',
  'content-encoding',
  'content-length',
  'expect',
  'host',
  'http2-settings',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/** A provider's own headers, with lower-case names. Adds the mistakes to `out`. */
export function readHeaders(
  path: readonly string[],
  headers: Readonly<Record<string, string>>,
  env: Environment,
  out: Findings,
): Record<string, string> {
  const { problems } = out
  const read: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers)) {
    const place = [...path, name]
    // Otherwise the last would take the place of the others.
    const isTwice = Object.hasOwn(read, name.toLowerCase())
    const obstacle = isTwice
      ? 'there is a header of this name in another case; allowed: one of them'
      : obstacleIn(name.toLowerCase())
    if (obstacle) problems.push(`${pathText(place)}: ${obstacle}`)
    if (/auth|key|token|secret|cookie/i.test(name) && !value.startsWith('env:')) {
      problems.push(`${pathText(place)}: a secret is named, never written; allowed: "env:NAME"`)
    }
    const named = value.startsWith('env:')
    if (!named) checkCarried(place, value, problems)
    read[name.toLowerCase()] = (named ? readVariable(place, value.slice(4), env, out) : value) ?? ''
  }
  return read
}

/** Why a provider can't have a header of this name, or undefined. */
function obstacleIn(name: string): string | undefined {
  if (!/^[\w!#$%&'*+.^`|~-]+$/.test(name)) return 'no name of a header; allowed: letters, digits, "-" and "_"'
  if (ownedByHTTP.has(name)) return 'HTTP sets this header itself; allowed: other headers'
  // A fixed number would hide a loop.
  if (name === hopsHeader) return 'the gateway sets this header itself, to find loops; allowed: other headers'
  return undefined
}
