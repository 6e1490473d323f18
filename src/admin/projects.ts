import { dollarsOf } from '../prices/money.ts'
import type { Project } from '../state/key.ts'
import type { ProjectStore } from '../state/project-store.ts'
import { windowAt } from '../state/window.ts'
import { invalid } from '../wire/body.ts'
import { GatewayError } from '../wire/errors.ts'
import { changedProject, newProject, permissionsOf, rateOf, spendLimitOf } from './project-terms.ts'
import { readQuery } from './query.ts'
import type { AdminAnswer, AdminRequest, AdminRoute, AdminScope } from './route.ts'
import { type AdminState, stateOf } from './state.ts'

const path = '/organization/projects'
/** Projects of a list: unless asked for, and at most. */
const [usual, most] = [20, 100]

/** Projects in the shapes of OpenAI's; what OpenAI doesn't have under the names that keys have here. */
export const projectRoutes: readonly AdminRoute[] = [
  {
    method: 'GET',
    path,
    async answer({ query }, scope) {
      const asked = readQuery(query, ['after', 'limit', 'include_archived'])
      const state = await stateOf(scope)
      const limit = asked.integer('limit', 1, most) ?? usual
      const archived = asked.flag('include_archived') ?? false
      const found = await state.projects.list({ archived, after: asked.text('after'), limit: limit + 1 })
      const data = await Promise.all(found.slice(0, limit).map((project) => shown(project, state)))
      const ends = { first_id: data[0]?.id ?? null, last_id: data.at(-1)?.id ?? null }
      return { body: { object: 'list', data, ...ends, has_more: found.length > limit } }
    },
  },
  {
    method: 'POST',
    path,
    async answer(request, scope) {
      const state = await stateOf(scope)
      const { id, ...terms } = newProject(await request.json())
      const made = await state.projects.create(terms, id)
      if (!made) throw invalid(`There is a project with the id '${id}'.`, 'id', 'invalid_value')
      return { body: await shown(made, state) }
    },
  },
  { method: 'GET', path: `${path}/{id}`, answer: about(async (project, { state }) => await shown(project, state)) },
  { method: 'POST', path: `${path}/{id}`, answer: update },
  { method: 'PATCH', path: `${path}/{id}`, answer: update },
  {
    method: 'POST',
    path: `${path}/{id}/archive`,
    answer: about(async ({ id }, { state, projects }) => await shown(there(await projects.archive(id)), state)),
  },
  {
    method: 'GET',
    path: `${path}/{id}/rate_limits`,
    answer: about((project) => {
      const data = Object.keys(project.limits.modelLimits ?? {}).map((model) => rateObject(project, model))
      return { object: 'list', data, first_id: data[0]?.id ?? null, last_id: data.at(-1)?.id ?? null, has_more: false }
    }),
  },
  {
    method: 'POST',
    path: `${path}/{id}/rate_limits/{rate}`,
    answer: about(async ({ id }, { projects, request }) => {
      const { rate = '' } = request.parameters
      const model = rate.replace(/^rl-/, '')
      const own = rateOf(await request.json())
      const change = (project: Project) => {
        const before = project.limits.modelLimits ?? {}
        return {
          ...project,
          limits: { ...project.limits, modelLimits: { ...before, [model]: { ...before[model], ...own } } },
        }
      }
      return rateObject(there(await projects.update(id, change)), model)
    }),
  },
  ...setting('spend_limit', {
    object: spendObject,
    read: spendLimitOf,
    without: ({ budget: _, budgetReset: __, ...rest }) => rest,
  }),
  ...setting('model_permissions', {
    object: permissionsObject,
    read: permissionsOf,
    without: ({ models: _, modelsDenied: __, ...rest }) => rest,
  }),
]

interface About {
  readonly state: AdminState
  readonly projects: ProjectStore
  readonly request: AdminRequest
}

/** An answer about one project, or the 404 of there being none. */
function about(answer: (project: Project, about: About) => object | Promise<object>): AdminRoute['answer'] {
  return async (request, scope): Promise<AdminAnswer> => {
    const state = await stateOf(scope)
    const { projects } = state
    const project = there(await projects.get(request.parameters.id ?? ''))
    return { body: await answer(project, { state, projects, request }) }
  }
}

async function update(request: AdminRequest, scope: AdminScope): Promise<AdminAnswer> {
  return await about(async ({ id }, { state, projects }) => {
    const { change, forgive } = changedProject(await request.json())
    const project = there(await projects.update(id, change))
    const window = windowAt(project.limits.budgetReset ?? null, state.clock.now())
    if (forgive) await state.meters.forgive({ subject: `project:${id}`, window })
    return await shown(project, state)
  })(request, scope)
}

interface Setting {
  readonly object: (project: Project) => object
  readonly read: (body: Awaited<ReturnType<AdminRequest['json']>>) => Project['limits']
  readonly without: (limits: Project['limits']) => Project['limits']
}

/** What one project has one of: it is read, set and taken away. */
function setting(name: string, { object, read, without }: Setting): readonly AdminRoute[] {
  const at = `${path}/{id}/${name}`
  return [
    { method: 'GET', path: at, answer: about(object) },
    {
      method: 'POST',
      path: at,
      answer: about(async ({ id }, { projects, request }) => {
        const own = read(await request.json())
        const change = (project: Project) => ({ ...project, limits: { ...without(project.limits), ...own } })
        return object(there(await projects.update(id, change)))
      }),
    },
    {
      method: 'DELETE',
      path: at,
      answer: about(async ({ id }, { projects }) => {
        await projects.update(id, (project) => ({ ...project, limits: without(project.limits) }))
        return { object: `project.${name}.deleted`, deleted: true }
      }),
    },
  ]
}

async function shown({ id, name, createdAt, archivedAt, limits, metadata }: Project, { meters, clock }: AdminState) {
  const { budget, budgetReset = null, rpm, tpm, parallel, models } = limits
  const window = windowAt(budgetReset, clock.now())
  const reading = budget === undefined ? undefined : await meters.read({ subject: `project:${id}`, window })
  const left = budget === undefined || !reading ? null : Math.max(0, budget - reading.spent - reading.held)
  return {
    ...{ id, object: 'organization.project', name, created_at: Math.floor(createdAt / 1000) },
    archived_at: archivedAt === undefined ? null : Math.floor(archivedAt / 1000),
    status: archivedAt === undefined ? 'active' : 'archived',
    limit: budget === undefined ? null : dollarsOf(budget),
    limit_remaining: left === null ? null : dollarsOf(left),
    ...{ limit_reset: budgetReset, lost: reading ? dollarsOf(reading.lost) : 0, models: models ?? null },
    ...{ rpm_limit: rpm ?? null, tpm_limit: tpm ?? null, max_parallel_requests: parallel ?? null, metadata },
  }
}

function rateObject({ limits }: Project, model: string) {
  const { rpm, tpm } = limits.modelLimits?.[model] ?? {}
  return {
    ...{ id: `rl-${model}`, object: 'project.rate_limit', model },
    ...{ max_requests_per_1_minute: rpm ?? null, max_tokens_per_1_minute: tpm ?? null },
  }
}

function spendObject({ limits: { budget, budgetReset } }: Project) {
  if (budget === undefined || budgetReset !== 'monthly') throw nothingSet('monthly spend limit')
  const said = { object: 'project.spend_limit', currency: 'USD', interval: 'month', enforcement: { status: 'active' } }
  return { ...said, threshold_amount: budget / 10_000_000 }
}

function permissionsObject({ limits: { models, modelsDenied } }: Project) {
  const list = models ?? modelsDenied
  if (!list) throw nothingSet('model permissions')
  return { object: 'project.model_permissions', mode: models ? 'allow_list' : 'deny_list', model_ids: list }
}

function there(project: Project | undefined): Project {
  if (project) return project
  const message = 'There is no such project.'
  throw new GatewayError('bad_request', message, { status: 404, code: 'project_not_found', param: 'id' })
}

function nothingSet(what: string): GatewayError {
  const message = `The project has no ${what}.`
  return new GatewayError('bad_request', message, { status: 404, code: 'nothing_set', param: null })
}
