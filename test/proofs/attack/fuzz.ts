import fc from 'fast-check'
import { createAdmin } from '../../../src/admin/admin.ts'
import type { AdminScope } from '../../../src/admin/route.ts'
import { isObject } from '../../../src/wire/json.ts'
import type { KeptState } from '../../support/state.ts'

export interface Fuzzed {
  /** Answers by their status. */
  readonly counts: Readonly<Record<number, number>>
  /** What should not have come, with what was sent. */
  readonly faults: readonly string[]
}

const adminKey = 'sk-admin-0123456789abcdef'

const ofKeys = [
  ...['name', 'limit', 'limit_reset', 'expires_at', 'models', 'rpm_limit', 'tpm_limit', 'metadata', 'forgive'],
  ...['max_parallel_requests', 'model_rpm_limit', 'end_user_tpm_limit', 'budget_mode', 'disabled', 'grace', 'user_id'],
]
const ofProjects = [
  ...['max_requests_per_1_minute', 'max_tokens_per_1_minute', 'model_ids', 'mode', 'threshold_amount', 'currency'],
  ...['interval', 'project_id'],
]
const odd = fc.constantFrom<unknown>(
  ...[0, -0, -1, 1e308, 1e-10, 2 ** 53, '', ' ', '\0', '\ud800', 'x'.repeat(300), null, [], {}, [[]], { '': 1 }],
  ...['daily', 'exact', '24h', '2999-01-01T00:00:00Z', 'constructor', true, 0.000000001, ['a'], { a: 1 }, 'allow_list'],
  ...["'; DROP TABLE keys; --", 'month', 'USD', { proto: { a: [] } }],
)
const value = fc.oneof(odd, fc.jsonValue({ maxDepth: 3 }), fc.string({ unit: 'binary' }), fc.double())
const names = fc.constantFrom(...ofKeys, ...ofProjects, '__proto__', 'toString')
const field = fc.tuple(fc.oneof(names, fc.string()), value)
// Own properties, whatever their names: as JSON makes them.
const body = fc
  .tuple(fc.boolean(), fc.array(field, { maxLength: 5 }))
  .map(([named, fields]) => Object.fromEntries([...(named ? [['name', 'a'] as const] : []), ...fields]))

/**
 * Sends `runs` bodies that nobody would send to all routes that write. Each is to be taken, or refused in OpenAI's shape;
 * nothing may break, and what is refused may change nothing.
 */
export async function fuzzed(state: KeptState, { runs, seed }: { runs: number; seed: number }): Promise<Fuzzed> {
  const logged: string[] = []
  const scope = { state: async () => state } as unknown as AdminScope
  const admin = createAdmin({ adminKey, access: { mode: 'open' }, scope, log: (line) => void logged.push(line) })
  const header = (name: string) => ({ authorization: `Bearer ${adminKey}`, 'content-length': '2' })[name]
  const { key } = await state.keys.create({ name: 'target', disabled: false, limits: {}, metadata: {} })
  const project = await state.projects?.create({ name: 'target', limits: {}, metadata: {} })
  const at = `/organization/projects/${project?.id}`
  const routes = [
    ...['POST /keys', `PATCH /keys/${key.id}`, `POST /keys/${key.id}/rotate`, 'POST /organization/projects'],
    ...[`POST ${at}`, `PATCH ${at}`, `POST ${at}/rate_limits/rl-m`, `POST ${at}/model_permissions`],
    ...[`POST ${at}/spend_limit`, `POST ${at}/archive`],
  ]
  const revisions = async () => JSON.stringify(await state.database.all('SELECT name, value FROM revisions'))
  const counts: Record<number, number> = {}
  const faults: string[] = []
  for (const [route, given] of fc.sample(fc.tuple(fc.constantFrom(...routes), body), { numRuns: runs, seed })) {
    const [method = '', path = ''] = route.split(' ')
    const before = await revisions()
    const { status, text } = await admin({
      ...{ id: 'req_1', method, url: `http://localhost/v1${path}`, header },
      json: async () => given,
    }).then(async (response) => ({ status: response.status, text: await response.text() }))
    counts[status] = (counts[status] ?? 0) + 1
    const told: unknown = JSON.parse(text)
    const isRefused = status === 400 || status === 404
    const fault =
      !(isRefused ? isRefusal(told) && text.length < 2_000 : [200, 201].includes(status) && isObject(told)) ||
      (isRefused && (await revisions()) !== before)
    if (fault) faults.push(`${route} ${JSON.stringify(given)}: ${status} ${text.slice(0, 500)}`)
  }
  if ('limit' in Object.prototype) faults.push('a field of a body is now one of every object')
  faults.push(...logged.map((line) => `in the log: ${line}`))
  // What was taken can be read again.
  for (const path of ['/keys?include_disabled=true', '/organization/projects?include_archived=true']) {
    const json = async () => ({})
    const { status } = await admin({ id: 'req_1', method: 'GET', url: `http://localhost/v1${path}`, header, json })
    if (status !== 200) faults.push(`GET ${path}: ${status}`)
  }
  return { counts, faults }
}

/** Whether it is OpenAI's shape, with all four of its members. */
function isRefusal(told: unknown): boolean {
  if (!isObject(told) || Object.keys(told).join() !== 'error' || !isObject(told.error)) return false
  const { message, type, param, code, ...more } = told.error
  const isText = (one: unknown) => one === null || typeof one === 'string'
  return (
    typeof message === 'string' && type === 'invalid_request_error' && isText(param) && isText(code) && noneOf(more)
  )
}

const noneOf = (more: object) => Object.keys(more).length === 0
