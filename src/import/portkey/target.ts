import { isObject } from '../../wire/json.ts'
import type { Draft, DraftDeployment } from '../draft.ts'
import { isCopied } from '../fields.ts'
import { textOrNumber } from '../kinds.ts'
import type { At, Item } from '../notes.ts'
import type { Platforms } from '../platform.ts'
import { looksLikeKey } from '../secrets.ts'
import { serverOf } from '../servers.ts'
import type { Leaf } from './layers.ts'
import { type Having, placeOf, whoIs } from './who.ts'

/** The deployment for a target; undefined, and told, if there is none. `name`: the model's, which may have a `*`. */
export function deploymentOf(
  { item, around }: Leaf,
  name: string,
  { draft, platforms }: { readonly draft: Draft; readonly platforms: Platforms },
  at: At,
): DraftDeployment | undefined {
  const { notes } = item
  // What a target doesn't say, those around it do.
  const all = [item, ...[...around].reverse()]
  const having: Having = (...keys) => all.find((one) => keys.some((key) => one.has(key))) ?? item
  const params = fieldsOf(all, 'default_params', at)
  const fields = fieldsOf(all, 'override_params', at)
  const given = fields.model
  const asked = typeof given === 'string' && given.trim() !== '' && !looksLikeKey(given) ? given.trim() : undefined
  if (given !== undefined && asked === undefined) {
    notes.lost(item.path, 'its model is no name: the target is left out', at)
    return undefined
  }
  const who = whoIs(having, asked, { draft, platforms }, at)
  const served = who && serverOf({ ...who, ...placeOf(having, who, at) }, draft, notes, at)
  if (!served) return undefined
  const { provider } = served
  if (who.told !== undefined) notes.changed(who.keyAt, who.told, () => ['providers', provider.name])
  const deployment = having('deployment_id').take('deployment_id', textOrNumber, { at })
  const plain = deployment ?? (asked?.startsWith('@') ? who.model : (asked ?? who.model)) ?? served.model
  const model = plain === undefined ? '*' : (who.platform.model?.(plain) ?? plain)
  if (model.includes('*') && !name.includes('*')) {
    notes.lost(item.path, 'it names no model, so that the name of the model here needs a *: the target is left out', at)
    return undefined
  }
  if (model.split('*').length > 2) {
    notes.lost(item.path, 'only one * of a model is filled: the target is left out', at)
    return undefined
  }
  const { model: _, ...overrides } = fields
  tellRest(item, at)
  return {
    provider,
    model,
    fields: {
      ...(Object.keys(params).length > 0 && { params }),
      ...(Object.keys(overrides).length > 0 && { overrides }),
    },
  }
}

/** The request fields that a target sets, and those around it. */
function fieldsOf(all: readonly Item[], key: 'default_params' | 'override_params', at: At): Record<string, unknown> {
  const fields: Record<string, unknown> = {}
  for (const item of [...all].reverse()) {
    const value = item.raw(key)
    const path = item.at(key)
    if (value !== undefined && !isObject(value)) item.notes.lost(path, 'no object of request fields', at)
    for (const [field, part] of isObject(value) ? Object.entries(value) : []) {
      const place = [...path, field]
      if (field === 'messages' || field === 'stream' || (field === 'model' && key === 'default_params'))
        item.notes.lost(place, 'the client alone decides about this field', at)
      else if (isCopied(part, place, item.notes, at)) {
        item.notes.carried(place)
        fields[field] = part
      }
    }
  }
  return fields
}

const lostFields: Readonly<Record<string, string>> = {
  cache: 'here `cache` has answers kept: set it',
  input_guardrails: 'there are no guardrails',
  output_guardrails: 'there are no guardrails',
  before_request_hooks: 'there are no guardrails',
  after_request_hooks: 'there are no guardrails',
  forward_headers: "clients' headers stay here",
  metadata: 'there is no metadata of targets',
  prompt_id: 'there are no stored prompts',
  strict_open_ai_compliance: 'answers keep all of their fields',
  on_status_codes: 'which failures go on to the next target is decided by their kind, not by codes',
  aws_access_key_id: 'there is no provider that is asked so',
  aws_secret_access_key: 'there is no provider that is asked so',
  vertex_project_id: 'there is no provider that is asked so',
  vertex_region: 'there is no provider that is asked so',
}

/** What a target or what is around it says besides. */
export function tellRest(item: Item, at: At): void {
  for (const key of ['name', 'id', 'weight', 'index', '$schema']) if (item.has(key)) item.raw(key)
  item.lose(lostFields, at)
  item.loseRest('no setting that is known here', at)
}
