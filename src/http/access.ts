import type { Account, Accounts, Holder } from '../core/account.ts'
import type { KeyLimits } from '../state/key.ts'
import { GatewayError, maskKey } from '../wire/errors.ts'
import type { HeaderReader } from '../wire/headers.ts'
import { createDoor } from './door.ts'

/** Who has access: everybody on this machine, the holders of a key, or nobody until a key is set. */
export type Access =
  | {
      readonly mode: 'open'
      readonly allowedHosts?: readonly string[]
      readonly allowedOrigins?: readonly string[]
      /** Whether there are keys by now: then nobody gets in without one. Absent: there never are. */
      readonly holdsKeys?: () => boolean
    }
  | { readonly mode: 'keys'; readonly keys: readonly ClientKey[] }
  | { readonly mode: 'closed'; readonly remedy: string }

export interface ClientKey {
  /** By which logs and metrics know it. */
  readonly name: string
  readonly secret: string
  /** Absent: it has none. */
  readonly limits?: KeyLimits
}

/** Who sent a request. */
export interface Caller {
  /** Their own token, for providers that take it. */
  readonly bearer: string | undefined
  /** The name of the key by which they have access. */
  readonly key?: string | undefined
  /** Whom their requests are charged to. Absent: nobody. */
  readonly account?: Account | undefined
}

/**
 * Creates the access check. Throws a 401 or 403. A caller's bearer is theirs unless it is the gateway's key. The key for
 * the admin routes is refused, wherever it is: it would go on to a provider as the caller's own.
 */
export function createGuard(access: Access, adminKey?: string, accounts?: Accounts): Guard {
  const keys = access.mode === 'keys' ? access.keys : []
  const refuseStrangers = access.mode === 'open' ? createDoor(access) : () => {}
  return function guard(header, method, anyType) {
    if (access.mode === 'closed') throw new GatewayError('unauthorized', access.remedy, { code: null })
    refuseStrangers(header, method, anyType)
    if (adminKey !== undefined && [bearerOf(header), ...keyHeaders.map(header)].some((key) => isSame(adminKey, key)))
      throw new GatewayError(
        'unauthorized',
        'The admin key is for keys, usage and the routes below /admin: models need another key.',
        { reason: 'key_of_admin' },
      )
    const bearer = bearerOf(header)
    if (isOpen(access)) {
      const own = bearer ?? keyHeaders.map(header).find((key) => key !== undefined)
      return accounts ? { bearer: own, account: accounts.of(undefined) } : { bearer: own }
    }
    const own = bearer === undefined ? undefined : nameOf(bearer, keys)
    if (own !== undefined) return callerBy(own, undefined, accounts)
    // The caller may send the gateway's key and one for a provider, in any of these headers.
    const others = keyHeaders.map(header).filter((key) => key !== undefined)
    const names = others.map((key) => nameOf(key, keys))
    const key = names.find((name) => name !== undefined)
    if (key !== undefined) return callerBy(key, bearer ?? others.find((_, at) => names[at] === undefined), accounts)
    const given = bearer === undefined ? others : [bearer, ...others]
    const [wrong] = given
    if (wrong === undefined) throw noKey()
    const found = accounts?.find(given)
    return found instanceof Promise ? found.then((held) => holding(held, given)) : holding(found, given)
  }
}

export function isOpen(access: Access): boolean {
  return access.mode === 'open' && !access.holdsKeys?.()
}

function callerBy(key: string, bearer: string | undefined, accounts: Accounts | undefined): Caller {
  return accounts ? { bearer, key, account: accounts.of(key) } : { bearer, key }
}

/** The caller who holds one of the keys that were given. */
function holding(held: Holder | undefined, given: readonly string[]): Caller {
  if (!held) {
    const message = `Incorrect API key provided: ${maskKey(given[0] ?? '')}. Ask whoever runs this gateway for a key.`
    throw new GatewayError('unauthorized', message, { reason: 'key_unknown' })
  }
  return { bearer: given.find((secret) => secret !== held.secret), key: held.name, account: held.account }
}

/**
 * Throws the reason for refusing access, or rejects with it where a key has to be looked up. `anyType`: requests of the
 * route are JSON whatever type they say.
 */
export type Guard = (header: HeaderReader, method: 'GET' | 'POST', anyType?: boolean) => Caller | Promise<Caller>

/** Where clients of Azure, Anthropic and Google send their key. */
const keyHeaders = ['api-key', 'x-api-key', 'x-goog-api-key'] as const

/** The token of `Authorization: Bearer …`. */
function bearerOf(header: HeaderReader): string | undefined {
  return /^Bearer\s+(\S+)\s*$/i.exec(header('authorization') ?? '')?.[1]
}

/** The name of the key that was given. Always compares all keys, so that the time reveals nothing. */
function nameOf(given: string, keys: readonly ClientKey[]): string | undefined {
  let found: string | undefined
  for (const { secret, name } of keys) if (sameText(secret, given)) found ??= name
  return found
}

function isSame(key: string, given: string | undefined): boolean {
  return given !== undefined && sameText(key, given)
}

/** Compares in a time that depends only on the length of the given text. */
export function sameText(key: string, given: string): boolean {
  let difference = key.length ^ given.length
  for (let at = 0; at < given.length; at++) difference |= key.charCodeAt(at % key.length) ^ given.charCodeAt(at)
  return difference === 0
}

function noKey(): GatewayError {
  return new GatewayError(
    'unauthorized',
    "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth " +
      '(i.e. Authorization: Bearer YOUR_KEY).',
    { code: null, reason: 'key_missing' },
  )
}
