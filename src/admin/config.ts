import { GatewayError } from '../wire/errors.ts'
import type { ConfigControl, Reload, Version } from './control.ts'
import { hashOf } from './hash.ts'
import { withoutSecrets } from './redact.ts'
import type { AdminRoute, AdminScope } from './route.ts'

/** What is in force, without any secret. Times in seconds since 1970. */
async function show(scope: AdminScope) {
  const { config, source = null, control, env } = scope
  const hide = withoutSecrets(env)
  const state = await control?.state()
  return {
    object: 'config',
    source,
    hash: state?.hash ?? (await hashOf(config)),
    loaded_at: seconds(state?.loaded ?? scope.loaded),
    differs_from_file: state?.differsFromFile ?? false,
    last_reload: state?.lastReload ? hide(reloadOf(state.lastReload)) : null,
    earlier: (state?.earlier ?? []).map(versionOf),
    ...(state?.workers && { workers: state.workers }),
    config: hide(config),
  }
}

export const configRoutes: readonly AdminRoute[] = [
  {
    method: 'GET',
    path: '/admin/config',
    answer: async (_, scope) => ({ body: await show(scope) }),
  },
  {
    method: 'POST',
    path: '/admin/config/reload',
    async answer(_, { control, env }) {
      return outcome(await controlOf(control).reload(), env)
    },
  },
  {
    method: 'POST',
    path: '/admin/config/rollback',
    async answer(request, { control: given, env }) {
      const control = controlOf(given)
      const { hash: asked } = await request.json()
      if (asked !== undefined && (typeof asked !== 'string' || asked === '')) {
        throw new GatewayError('bad_request', '`hash` must be the hash of an earlier configuration.', { param: 'hash' })
      }
      const reload = await control.rollback(asked)
      if (reload) return outcome(reload, env)
      const { earlier } = await control.state()
      const known = earlier.map(({ hash }) => hash).join(', ') || 'there is none'
      throw new GatewayError('bad_request', `No earlier configuration to return to; known: ${known}.`, {
        status: 404,
        code: 'unknown_configuration',
        param: asked === undefined ? null : 'hash',
      })
    },
  },
]

function controlOf(control: ConfigControl | undefined): ConfigControl {
  if (control) return control
  const message = 'The configuration of this gateway is part of its deployment: a deployment is the reload.'
  throw new GatewayError('bad_request', message, { status: 501, code: 'not_supported' })
}

function outcome(reload: Reload, env: AdminScope['env']) {
  const told = withoutSecrets(env)(reloadOf(reload))
  if (reload.outcome !== 'kept') return { body: { object: 'config.reload', ...told } }
  const message = `The configuration can't be used, so the one in force stays: ${told.problems.join('; ')}`
  const error = { message, type: 'invalid_request_error', param: null, code: 'invalid_configuration' }
  return { status: 422, body: { error, ...told } }
}

function reloadOf({ at, cause, outcome, hash, problems, notes }: Reload) {
  return { at: seconds(at), cause, outcome, hash, problems, notes }
}

function versionOf({ hash, loaded }: Version) {
  return { hash, loaded_at: seconds(loaded) }
}

const seconds = (ms: number) => Math.floor(ms / 1000)
