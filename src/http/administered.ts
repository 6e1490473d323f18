import type { Context } from 'hono'
import type { AdminOptions } from '../admin/admin.ts'
import { late } from '../core/late.ts'
import type { Log } from '../core/log.ts'
import type { Edge } from '../runtime/edge.ts'
import { parseBody } from '../wire/body.ts'
import { routePath } from '../wire/paths.ts'
import { readBytes } from './reading.ts'
import { isKept } from './state-paths.ts'

export interface AdministeredOptions<Bindings extends object> {
  readonly admin: Pick<AdminOptions, 'adminKey' | 'scope'>
  readonly access: AdminOptions['access']
  readonly log: Log
  readonly edge: Edge<Bindings>
  readonly nextId: () => string
  /** Bytes. */
  readonly bodyLimit: number
}

/** Answers requests to admin routes, for whose code the first one waits. Undefined for all others. */
export function createAdministered<Bindings extends object>(options: AdministeredOptions<Bindings>) {
  const { edge, nextId, bodyLimit, access, log } = options
  const admin = late(async () => {
    const { createAdmin } = await import('../admin/admin.ts')
    return createAdmin({ ...options.admin, access, log })
  })

  function isOurs(method: string, path: string): boolean {
    if (path === '/metrics') return method === 'GET' || method === 'HEAD'
    return path === '/admin' || path.startsWith('/admin/') || (options.admin.scope.state !== undefined && isKept(path))
  }

  return function administered(context: Context<{ Bindings: Bindings }>): Promise<Response> | undefined {
    const { method, url } = context.req
    if (!isOurs(method, routePath(url))) return undefined
    // Not every runtime tells by a header whether there is a body.
    const json = async () => {
      const bytes = await readBytes(edge, context, bodyLimit)
      return bytes.length === 0 ? {} : parseBody(bytes).json
    }
    return admin({ id: nextId(), method, url, header: edge.headers(context), json })
  }
}
