import { createDoor } from './door.ts'
import { GatewayError, maskKey } from './wire/errors.ts'
import type { HeaderReader } from './wire/headers.ts'

/** Who may come in: everybody on this machine, the holders of a key, or nobody until a key is set. */
export type Access =
  | { readonly mode: 'open'; readonly allowedHosts?: readonly string[]; readonly allowedOrigins?: readonly string[] }
  | { readonly mode: 'keys'; readonly keys: readonly string[] }
  | { readonly mode: 'closed'; readonly remedy: string }

/** Compiles who may come in into a check that throws a 401 or 403; it returns the caller's bearer if that is his own. */
export function createGuard(access: Access): Guard {
  const keys = access.mode === 'keys' ? access.keys : []
  const refuseStrangers = access.mode === 'open' ? createDoor(access) : () => {}
  return function guard(header, method) {
    if (access.mode === 'closed') throw new GatewayError('unauthorized', access.remedy, { code: null })
    refuseStrangers(header, method)
    const bearer = bearerOf(header)
    if (access.mode === 'open') return bearer
    if (bearer !== undefined && isKnown(bearer, keys)) return undefined
    // Beside the gateway's key there may be one for a provider: any of the three may be ours.
    const others = [header('api-key'), header('x-api-key')].filter((key) => key !== undefined)
    if (others.some((key) => isKnown(key, keys))) return bearer
    const wrong = bearer ?? others[0]
    if (!wrong) throw noKey()
    const message = `Incorrect API key provided: ${maskKey(wrong)}. Ask whoever runs this gateway for a key.`
    throw new GatewayError('unauthorized', message)
  }
}

/** Returns the caller's own bearer, or throws why it may not come in. */
export type Guard = (header: HeaderReader, method: 'GET' | 'POST') => string | undefined

/** The token of `Authorization: Bearer …`. */
function bearerOf(header: HeaderReader): string | undefined {
  return /^Bearer\s+(\S+)\s*$/i.exec(header('authorization') ?? '')?.[1]
}

/** Every key is compared to its end, so that the time tells nothing. */
function isKnown(given: string, keys: readonly string[]): boolean {
  let found = false
  for (const key of keys) found = sameText(key, given) || found
  return found
}

/** Compares in a time that depends on the given text's length alone. */
function sameText(key: string, given: string): boolean {
  let difference = key.length ^ given.length
  for (let at = 0; at < given.length; at++) difference |= key.charCodeAt(at % key.length) ^ given.charCodeAt(at)
  return difference === 0
}

function noKey(): GatewayError {
  return new GatewayError(
    'unauthorized',
    "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth " +
      '(i.e. Authorization: Bearer YOUR_KEY).',
    { code: null },
  )
}
