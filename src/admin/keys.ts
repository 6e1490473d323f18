import { invalid } from '../wire/body.ts'
import { GatewayError } from '../wire/errors.ts'
import { duration, readFields } from './fields.ts'
import { keyObjects, operatorObject, ownObject } from './key-object.ts'
import { changedTerms, newTerms } from './key-terms.ts'
import { readQuery } from './query.ts'
import type { AdminRoute } from './route.ts'
import { type AdminState, budgetMeter, countedState, stateOf } from './state.ts'

/** Keys of a list. */
const page = 100
/** Milliseconds. */
const longestGrace = 30 * 24 * 60 * 60 * 1000

export const keyRoutes: readonly AdminRoute[] = [
  {
    method: 'GET',
    path: '/keys',
    async answer({ query }, scope) {
      const asked = readQuery(query, ['offset', 'limit', 'include_disabled', 'project_id', 'workspace_id', 'user_id'])
      const state = await countedState(scope)
      const keys = await state.keys.list({
        disabled: asked.flag('include_disabled') ?? false,
        project: asked.text('project_id') ?? asked.text('workspace_id'),
        user: asked.text('user_id'),
        offset: asked.integer('offset', 0, 1e9) ?? 0,
        limit: asked.integer('limit', 1, page) ?? page,
      })
      return { body: { data: await keyObjects(keys, state) } }
    },
  },
  {
    method: 'POST',
    path: '/keys',
    async answer(request, scope) {
      const state = await stateOf(scope)
      const terms = newTerms(await request.json(), state.clock.now())
      await checkProject(terms.project, state)
      const { key, secret } = await state.keys.create(terms)
      const [data] = await keyObjects([key], state)
      return { status: 201, body: { data, key: secret } }
    },
  },
  {
    method: 'GET',
    path: '/keys/{id}',
    async answer({ parameters: { id = '' } }, scope) {
      const state = await countedState(scope)
      return { body: { data: await shown(await state.keys.get(id), state) } }
    },
  },
  {
    method: 'PATCH',
    path: '/keys/{id}',
    async answer(request, scope) {
      const { id = '' } = request.parameters
      const { change, forgive, project } = changedTerms(await request.json())
      const state = await stateOf(scope)
      await checkProject(project, state)
      const key = await (change ? state.keys.update(id, change) : state.keys.get(id))
      if (key && forgive) await state.meters.forgive(budgetMeter(key, state.clock.now()))
      return { body: { data: await shown(key, state) } }
    },
  },
  {
    method: 'DELETE',
    path: '/keys/{id}',
    async answer({ parameters: { id = '' } }, scope) {
      const state = await stateOf(scope)
      if (!(await state.keys.remove(id))) throw noKey()
      return { body: { deleted: true } }
    },
  },
  {
    method: 'POST',
    path: '/keys/{id}/rotate',
    async answer(request, scope) {
      const { id = '' } = request.parameters
      const { grace = 0 } = readFields(await request.json(), { grace: duration(longestGrace) })
      const state = await stateOf(scope)
      const made = await state.keys.rotate(id, grace)
      return { body: { data: await shown(made?.key, state), key: made?.secret } }
    },
  },
  {
    method: 'GET',
    path: '/key',
    forHolders: true,
    async answer({ holder }, scope) {
      return { body: { data: holder ? await ownObject(holder, await countedState(scope)) : operatorObject() } }
    },
  },
]

/** Rejects with a 400 for a project whose keys are refused. */
async function checkProject(id: string | undefined, { projects }: AdminState): Promise<void> {
  const project = id === undefined ? undefined : await projects.get(id)
  if (project?.archivedAt === undefined) return
  throw invalid(
    "Invalid 'project_id': the project is archived, so its keys are refused.",
    'project_id',
    'invalid_value',
  )
}

async function shown(key: Parameters<typeof keyObjects>[0][number] | undefined, state: AdminState) {
  if (!key) throw noKey()
  const [data] = await keyObjects([key], state)
  return data
}

/** Says nothing of what was asked for: it may have been a secret. */
function noKey(): GatewayError {
  return new GatewayError('bad_request', 'There is no such key.', { status: 404, code: 'key_not_found', param: 'id' })
}
