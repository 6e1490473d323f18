import { createDoor } from './door.ts'
import { GatewayError, maskKey } from './wire/errors.ts'
import type { HeaderReader } from './wire/headers.ts'

/** Who has access: everybody on this machine, the holders of a key, or nobody until a key is set. */
export type Access =
  | { readonly mode: 'open'; readonly allowedHosts?: readonly string[]; readonly allowedOrigins?: readonly string[] }
  | { readonly mode: 'keys'; readonly keys: readonly string[] }
  | { readonly mode: 'closed'; readonly remedy: string }

/** Creates the access check. Throws a 401 or 403; returns the caller's bearer unless that is the gateway's key. */
export function createGuard(access: Access): Guard {
  const keys = access.mode === 'keys' ? access.keys : []
  const refuseStrangers = access.mode === 'open' ? createDoor(access) : () => {}
  return function guard(header, method, anyType) {
    if (access.mode === 'closed') throw new GatewayError('unauthorized', access.remedy, { code: null })
    refuseStrangers(header, method, anyType)
    const bearer = bearerOf(header)
    if (access.mode === 'open') return bearer ?? keyHeaders.map(header).find((key) => key !== undefined)
    if (bearer !== undefined && isKnown(bearer, keys)) return undefined
    // The caller may send the gateway's key and one for a provider, in any of these headers.
    const others = keyHeaders.map(header).filter((key) => key !== undefined)
    if (others.some((key) => isKnown(key, keys))) return bearer ?? others.find((key) => !isKnown(key, keys))
    const wrong = bearer ?? others[0]
    if (!wrong) throw noKey()
    const message = `Incorrect API key provided: ${maskKey(wrong)}. Ask whoever runs this gateway for a key.`
    throw new GatewayError('unauthorized', message)
  }
}

/**
 * Returns the caller's own bearer token, or throws the reason for refusing access. `anyType`: requests of the route are
 * JSON whatever type they say.
 */
export type Guard = (header: HeaderReader, method: 'GET' | 'POST', anyType?: boolean) => string | undefined

/** Where clients of Azure, Anthropic and Google send their key. */
const keyHeaders = ['api-key', 'x-api-key', 'x-goog-api-key'] as const

/** The token of `Authorization: Bearer …`. */
function bearerOf(header: HeaderReader): string | undefined {
  return /^Bearer\s+(\S+)\s*$/i.exec(header('authorization') ?? '')?.[1]
}

/** Always compares all keys, so that the time reveals nothing. */
function isKnown(given: string, keys: readonly string[]): boolean {
  let found = false
  for (const key of keys) found = sameText(key, given) || found
  return found
}

/** Compares in a time that depends only on the length of the given text. */
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
