import type { DraftDeployment, DraftModel } from '../draft.ts'
import { isCopied, requestFields } from '../fields.ts'
import { count, countFromOne, dollars, flag, seconds, text, weight } from '../kinds.ts'
import type { At, Item } from '../notes.ts'

type Fields = DraftDeployment['fields']
type Writable<T> = { -readonly [K in keyof T]: T[K] }

/** Why budgets of anything else aren't carried. */
export const onlyOfKeys = 'budgets are those of keys'

/** Why what a deployment may have isn't carried. */
const lostParams: Readonly<Record<string, string>> = {
  mock_response: 'samewire makes no answers up',
  tags: 'samewire does not route by tags',
  tag_regex: 'samewire does not route by tags',
  max_budget: onlyOfKeys,
  budget_duration: onlyOfKeys,
  tpd: 'limits are by the minute',
  rpd: 'limits are by the minute',
  itpm: 'tokens are limited together, by tpm',
  otpm: 'tokens are limited together, by tpm',
  guardrails: 'there are no guardrails',
  prompt_id: 'there are no stored prompts',
  additional_drop_params: 'fields that a provider supports are never left out; those that it does not, by dropParams',
  ssl_verify: 'certificates are always checked; Node reads NODE_EXTRA_CA_CERTS',
  max_parallel_requests: 'there is no limit of requests in progress',
  cooldown_time: 'the cooldown is the same for all deployments',
  configurable_clientside_auth_params: 'clients give no addresses; their own keys by apiKey: "client"',
  merge_reasoning_content_in_choices: 'reasoning comes as reasoning_content',
  cache_control_injection_points: 'no cache marks are added to requests',
  use_in_pass_through: 'see passThrough',
  region_name: 'regions are told by the address',
  vector_store_ids: 'there are no vector stores',
  azure_ad_token: 'Azure is asked with a key, not with Entra tokens',
  tenant_id: 'Azure is asked with a key, not with Entra tokens',
  client_id: 'Azure is asked with a key, not with Entra tokens',
  client_secret: 'Azure is asked with a key, not with Entra tokens',
  azure_username: 'Azure is asked with a key, not with Entra tokens',
  azure_password: 'Azure is asked with a key, not with Entra tokens',
}

/** What is set for one deployment: share, limits, price, request fields. Tells what isn't carried. */
export function deploymentFields(params: Item, info: Item, entry: Item, at: At): Fields {
  const fields: Writable<Fields> = {}
  const put = <K extends keyof Fields>(key: K, value: Fields[K] | undefined) => {
    if (value !== undefined) fields[key] = value
  }
  put('weight', params.take('weight', weight, { at }))
  put('order', params.take('order', count, { at }))
  put('rpm', params.take('rpm', countFromOne, { at }) ?? entry.take('rpm', countFromOne, { at }))
  put('tpm', params.take('tpm', countFromOne, { at }) ?? entry.take('tpm', countFromOne, { at }))
  put('price', priceOf(params, at) ?? priceOf(info, at))
  if (params.take('drop_params', flag, { at })) fields.dropParams = true
  readInfo(info, fields, at)
  const given = paramsOf(params, at)
  if (Object.keys(given).length > 0) fields.params = given
  return fields
}

function priceOf(item: Item, at: At): Fields['price'] {
  const million = (perToken: number | undefined) => Number(((perToken ?? 0) * 1e6).toPrecision(10))
  const [inKey, outKey] = ['input_cost_per_token', 'output_cost_per_token'] as const
  const one = item.has(inKey) !== item.has(outKey) ? 'the price of the other direction is told to be 0' : undefined
  const input = item.take(inKey, dollars, { at, changed: one })
  const output = item.take(outKey, dollars, { at, changed: one })
  return input === undefined && output === undefined ? undefined : { input: million(input), output: million(output) }
}

function readInfo(info: Item, fields: Writable<Fields>, at: At): void {
  const room = info.take('max_input_tokens', countFromOne, { at })
  if (room !== undefined) fields.contextWindow = room
  const most = info.take('max_output_tokens', countFromOne, { at }) ?? info.take('max_tokens', countFromOne, { at })
  if (most !== undefined) fields.maxOutput = most
  const supports: NonNullable<Writable<Fields>['supports']> = {}
  const abilities = [
    ['supports_function_calling', 'tools'],
    ['supports_vision', 'vision'],
    ['supports_audio_input', 'audio'],
    ['supports_response_schema', 'schema'],
  ] as const
  for (const [theirs, ours] of abilities) {
    const able = info.take(theirs, flag, { at })
    if (able !== undefined) supports[ours] = able
  }
  if (Object.keys(supports).length > 0) fields.supports = supports
  // The route of a request says it.
  info.take('mode', text)
}

/** Request fields that clients may overrule. */
function paramsOf(params: Item, at: At): Record<string, unknown> {
  const given: Record<string, unknown> = {}
  const body = params.object('extra_body')
  for (const item of [params, body]) {
    for (const key of item.unread()) {
      if (item === params && !requestFields.has(key)) continue
      const value = item.raw(key)
      if (!isCopied(value, item.at(key), item.notes, at)) continue
      if (item === body && isCovered(key)) {
        item.notes.lost(item.at(key), 'the gateway sets this field itself', at)
        continue
      }
      item.notes.carried(item.at(key))
      given[key] = value
    }
  }
  params.lose(lostParams, at)
  params.loseRest('no request field that is known here, and no setting of a deployment', at)
  return given
}

const isCovered = (key: string) => key === 'model' || key === 'messages' || key === 'stream'

/**
 * Times and retries, which hold for a model as a whole here. Where its deployments differ, the largest counts, so that none
 * is stopped sooner than before.
 */
export function modelFields(params: Item, model: DraftModel, isFirst: boolean, at: At): void {
  const { fields } = model as { fields: Writable<DraftModel['fields']> }
  const settings = [
    ['timeout', 'timeout', seconds],
    ['stream_timeout', 'streamTimeout', seconds],
    ['max_retries', 'retries', count],
  ] as const
  for (const [theirs, ours, kind] of settings) {
    const known = fields[ours]
    const raw = params.has(theirs) ? kind.read(params.fields[theirs]) : undefined
    const differs = !isFirst && raw !== undefined && raw !== known
    const capped = ours === 'retries' && (raw ?? 0) > mostRetries
    const changed = capped
      ? `at most ${mostRetries}`
      : differs
        ? "one value for all of the model's deployments: the largest of theirs"
        : undefined
    const value = params.take(theirs, kind, { at, changed })
    if (value !== undefined)
      fields[ours] = Math.max(known ?? 0, ours === 'retries' ? Math.min(value, mostRetries) : value)
  }
}

export const mostRetries = 20
