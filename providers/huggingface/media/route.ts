import type { ServedRequest } from '../../../src/core/served.ts'
import { GatewayError, unknownModel } from '../../../src/wire/errors.ts'
import { isObject, type JsonObject, stringAt } from '../../../src/wire/json.ts'
import { jsonOf, malformed } from '../../exchange.ts'
import { isId } from '../features.ts'

/** Which inference provider does a task, and what it calls the model. */
export interface Route {
  readonly provider: string
  /** The router's address for the provider. */
  readonly root: string
  readonly model: string
  /** The weights on top of the provider's own model, by address. */
  readonly lora?: string
}

type Task = 'text-to-image' | 'automatic-speech-recognition' | 'text-to-speech'

/** Suffixes that leave the choice to Hugging Face. */
const policies: ReadonlySet<string | undefined> = new Set([undefined, 'fastest', 'cheapest', 'preferred', 'auto'])

/** Milliseconds for which a look-up holds. */
const fresh = 10 * 60_000
const mostKnown = 500

interface Known {
  readonly at: number
  readonly entries: readonly JsonObject[]
}

/** What the Hub says of models. By settings, since what a token may see differs. */
const known = new WeakMap<object, Map<string, Known>>()

/**
 * Looks up who does a task with the request's model: the provider in its suffix, or else the first in Hugging Face's own
 * order that has a way here. `able`: the providers that have one.
 * https://huggingface.co/docs/inference-providers/hub-api
 */
export async function routeOf(
  request: ServedRequest,
  task: Task,
  able: Readonly<Record<string, unknown>>,
): Promise<Route> {
  const { settings, context } = request
  const base = settings.baseURL.replace(/\/v1$/, '')
  // An Inference Endpoint has one model, whose task it does at its root.
  if (settings.options.endpointUrl) return { provider: 'hf-inference', root: base, model: '' }
  const [id = '', suffix] = context.model.split(':')
  if (!isId.test(id)) throw unknownModel(context.model, 'not_found')
  const rootOf = (provider: string) => `${base}/${provider}`
  if (suffix === 'hf-inference') return { provider: suffix, root: rootOf(suffix), model: id }
  const entries = await lookUp(request, id)
  const wanted = entries.filter(({ provider }) => policies.has(suffix) || provider === suffix)
  const fitting = wanted.filter((entry) => entry.task === task)
  const entry = fitting.find(({ provider, status }) => status !== 'error' && Object.hasOwn(able, String(provider)))
  if (!entry) throw nobody({ id, suffix, task }, wanted, fitting)
  const { provider, providerId } = entry
  if (typeof providerId !== 'string' || !isSafe(providerId)) throw malformed('a model’s name that is none')
  const weights = entry.adapter === 'lora' ? stringAt(entry, 'adapterWeightsPath') : undefined
  return {
    provider: String(provider),
    root: rootOf(String(provider)),
    model: providerId,
    ...(weights !== undefined && { lora: `${hubOf(request)}/${id}/resolve/main/${weights}` }),
  }
}

function nobody(
  { id, suffix, task }: { readonly id: string; readonly suffix: string | undefined; readonly task: Task },
  wanted: readonly JsonObject[],
  fitting: readonly JsonObject[],
): GatewayError {
  const names = (entries: readonly JsonObject[]) => [...new Set(entries.map((entry) => entry.provider))].join(', ')
  if (wanted.length > 0 && fitting.length === 0) {
    const does = [...new Set(wanted.map((entry) => entry.task))].join(', ')
    return new GatewayError('wrong_endpoint', `\`${id}\` does ${does} on Hugging Face, not ${task}.`)
  }
  const why =
    fitting.length > 0
      ? `Only ${names(fitting)} ${fitting.length > 1 ? 'do' : 'does'} ${task} with \`${id}\` on Hugging Face, which this gateway can't ask for that.`
      : `No inference provider on Hugging Face does ${task} with \`${id}\`${policies.has(suffix) ? '' : ` as \`${suffix}\``}.`
  return new GatewayError('no_live_provider', why, { param: 'model', model: id })
}

const hubOf = ({ settings }: ServedRequest) => settings.options.hubUrl ?? 'https://huggingface.co'

async function lookUp(request: ServedRequest, id: string): Promise<readonly JsonObject[]> {
  const models = known.get(request.settings) ?? new Map<string, Known>()
  known.set(request.settings, models)
  const now = request.clock.now()
  const found = models.get(id)
  if (found && now - found.at < fresh) return found.entries
  const url = `${hubOf(request)}/api/models/${id}?expand[]=inferenceProviderMapping`
  // Another router's key is not for the Hub.
  const { apiKey } = request.settings
  const own = apiKey?.startsWith('hf_') ? { authorization: `Bearer ${apiKey}` } : undefined
  const response = await request.send({ url, anonymous: true, ...(own && { headers: own }) })
  // The Hub says 401 of a private or missing model to whoever sends no token.
  if (response.status === 404 || (response.status === 401 && !own)) {
    response.body.cancel('It only says that there is none.')
    throw unknownModel(request.context.model, 'not_found')
  }
  if (response.status !== 200) throw await request.refusal(response)
  const entries = entriesIn(await jsonOf(response))
  if (models.size >= mostKnown) models.clear()
  models.set(id, { at: now, entries })
  return entries
}

/** The Hub has the mapping as a list, or as an object by provider. */
function entriesIn({ inferenceProviderMapping: mapping }: JsonObject): readonly JsonObject[] {
  if (Array.isArray(mapping)) return mapping.filter(isObject)
  if (!isObject(mapping)) return []
  return Object.entries(mapping).flatMap(([provider, entry]) => (isObject(entry) ? [{ ...entry, provider }] : []))
}

/** Providers' names for models have slashes and versions, and must not lead to another route. */
function isSafe(name: string): boolean {
  return /^[\w.:/@-]{1,200}$/.test(name) && !name.split('/').some((part) => part === '' || /^\.+$/.test(part))
}
