import { configuredKey } from '../accounts/accounting.ts'
import { sameText } from '../http/access.ts'
import type { Key } from '../state/key.ts'
import { digestOf } from '../state/secret.ts'
import { GatewayError, maskKey } from '../wire/errors.ts'
import type { HeaderReader } from '../wire/headers.ts'
import type { AdminAccess } from './guard.ts'
import type { AdminScope } from './route.ts'

/**
 * The holder of the key that a request brings; undefined if it brings none, or the admin key. Rejects with a 401 for any
 * other.
 */
export async function holderOf(
  header: HeaderReader,
  { adminKey, access, scope }: AdminAccess & { readonly scope: AdminScope },
): Promise<Key | undefined> {
  const bearer = /^Bearer\s+(\S+)\s*$/i.exec(header('authorization') ?? '')?.[1]
  if (!scope.state || bearer === undefined || (adminKey !== undefined && sameText(adminKey, bearer))) return undefined
  const configured = access.mode === 'keys' ? access.keys.find(({ secret }) => sameText(secret, bearer)) : undefined
  if (configured) return configuredKey(configured)
  const { holders, clock } = await scope.state()
  const key = await holders.find(await digestOf(bearer))
  if (!key) throw refused(`Incorrect API key provided: ${maskKey(bearer)}. Only keys of this gateway count here.`)
  if (key.disabled) throw refused('This API key is disabled.')
  if (key.expiresAt !== undefined && key.expiresAt <= clock.now()) throw refused('This API key has expired.')
  return key
}

const refused = (message: string) => new GatewayError('unauthorized', message)
