import { type Access, isOpen, sameText } from '../http/access.ts'
import { createDoor } from '../http/door.ts'
import { GatewayError, maskKey } from '../wire/errors.ts'
import type { HeaderReader } from '../wire/headers.ts'

export interface AdminAccess {
  /** The value of `SAMEWIRE_ADMIN_KEY`. */
  readonly adminKey: string | undefined
  /** Who may ask models: without an admin key, a gateway that is open to this machine lets it see and change settings, too. */
  readonly access: Access
}

/**
 * Throws the reason for refusing a request to an admin route: a 401, 403 or 404. `isKept`: it is for keys, or for what is
 * known of requests.
 */
export type AdminGuard = (header: HeaderReader, method: 'GET' | 'POST', isKept: boolean) => void

/** Creates the access check of the admin routes. Keys for models don't count here, as the admin key doesn't there. */
export function adminGuard({ adminKey, access }: AdminAccess): AdminGuard {
  if (adminKey === undefined) {
    const refuseStrangers = createDoor(access.mode === 'open' ? access : {})
    return (header, method, isKept) => {
      // Whoever could make keys, or change one, could let in anybody.
      if (isKept || !isOpen(access))
        throw new GatewayError('bad_request', noAdminKey, { status: 404, code: 'unknown_url' })
      refuseStrangers(header, method)
    }
  }
  return (header) => {
    const bearer = /^Bearer\s+(\S+)\s*$/i.exec(header('authorization') ?? '')?.[1]
    if (bearer === undefined) throw new GatewayError('unauthorized', needed, { code: null })
    if (sameText(adminKey, bearer)) return
    const message = `Incorrect admin key provided: ${maskKey(bearer)}. ${needed}`
    throw new GatewayError('unauthorized', message)
  }
}

const needed =
  'Admin routes need the value of SAMEWIRE_ADMIN_KEY in an Authorization header (Authorization: Bearer ADMIN_KEY); ' +
  'keys for models do not count here.'

const noAdminKey =
  'This gateway has no admin routes as long as SAMEWIRE_ADMIN_KEY is not set. Set it to a long random text, then send it ' +
  'in an Authorization header.'
