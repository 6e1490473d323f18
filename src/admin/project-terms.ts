import type { Project, ProjectLimits, RateLimits } from '../state/key.ts'
import type { ProjectTerms } from '../state/project-store.ts'
import type { JsonObject } from '../wire/json.ts'
import { flag, integer, line, listOf, missing, objectUpTo, oneOf, orNull, type Read, readFields } from './fields.ts'
import { budget, changed, present, rate } from './key-terms.ts'

const common = {
  name: line(200),
  limit: orNull(budget),
  limit_reset: orNull(oneOf('daily', 'weekly', 'monthly')),
  models: orNull(listOf(line(256), 1000)),
  rpm_limit: orNull(rate),
  tpm_limit: orNull(rate),
  max_parallel_requests: orNull(integer(1, 1e6)),
  metadata: orNull(objectUpTo(16 * 1024)),
}
const making = { ...common, id: line(200) }
const changing = { ...common, forgive: flag }

/** What a body says of a new project. Throws a 400. */
export function newProject(body: JsonObject): ProjectTerms & { readonly id?: string | undefined } {
  const { id, ...fields } = readFields(body, making)
  if (fields.name === undefined) throw missing('name')
  return { id, ...termsOf({ name: fields.name, limits: {}, metadata: {} }, fields) }
}

/** What a body says of a project that is there, and whether it gives back what was lost. Throws a 400. */
export function changedProject(body: JsonObject) {
  const { forgive = false, ...fields } = readFields(body, changing)
  return { forgive, change: (project: Project): ProjectTerms => termsOf(project, fields) }
}

function termsOf(before: ProjectTerms, fields: Read<typeof common>): ProjectTerms {
  const { limits } = before
  const models = changed(limits.models, fields.models)
  return {
    name: fields.name ?? before.name,
    metadata: changed(before.metadata, fields.metadata) ?? {},
    limits: present<ProjectLimits>({
      ...limits,
      models,
      modelsDenied: fields.models ? undefined : limits.modelsDenied,
      rpm: changed(limits.rpm, fields.rpm_limit),
      tpm: changed(limits.tpm, fields.tpm_limit),
      parallel: changed(limits.parallel, fields.max_parallel_requests),
      budget: changed(limits.budget, fields.limit),
      budgetReset: changed(limits.budgetReset ?? undefined, fields.limit_reset),
    }),
  }
}

/** OpenAI's limits of one model. */
export function rateOf(body: JsonObject): RateLimits {
  const readers = { max_requests_per_1_minute: rate, max_tokens_per_1_minute: rate }
  const { max_requests_per_1_minute: rpm, max_tokens_per_1_minute: tpm } = readFields(body, readers)
  return present<RateLimits>({ rpm, tpm })
}

/** OpenAI's budget: cents a month. */
export function spendLimitOf(body: JsonObject): ProjectLimits {
  const readers = { currency: oneOf('USD'), interval: oneOf('month'), threshold_amount: integer(0, 800_000_000) }
  const { threshold_amount: cents, currency, interval } = readFields(body, readers)
  if (cents === undefined) throw missing('threshold_amount')
  if (currency === undefined) throw missing('currency')
  if (interval === undefined) throw missing('interval')
  return { budget: cents * 10_000_000, budgetReset: 'monthly' }
}

export function permissionsOf(body: JsonObject): ProjectLimits {
  const readers = { mode: oneOf('allow_list', 'deny_list'), model_ids: listOf(line(256), 1000) }
  const { mode, model_ids: models } = readFields(body, readers)
  if (mode === undefined) throw missing('mode')
  if (models === undefined) throw missing('model_ids')
  return mode === 'allow_list' ? { models } : { modelsDenied: models }
}
