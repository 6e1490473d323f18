import type { Draft } from '../draft.ts'
import { headersOf } from '../fields.ts'
import { text, textOrNumber } from '../kinds.ts'
import type { At, Item } from '../notes.ts'
import { isForeign, type Platform, type Platforms } from '../platform.ts'
import { keyOf, looksLikeKey, variableIn } from '../secrets.ts'
import { serverOf } from '../servers.ts'
import { deploymentFields, modelFields } from './params.ts'

interface Named {
  readonly platform: Platform
  readonly model: string
  /** Why there is no provider for it. */
  readonly missing?: string
}

/** Adds one entry of `model_list` to the draft, or tells why it can't. */
export function addDeployment(name: string, entry: Item, params: Item, draft: Draft, platforms: Platforms): void {
  const { notes } = entry
  const model = draft.model(name)
  const place: At = () => (model.deployments.length > 0 ? ['models', name] : ['models'])
  const given = params.raw('model')
  if (typeof given !== 'string' || given.trim() === '' || variableIn(given) !== undefined || looksLikeKey(given)) {
    const found = typeof given === 'string' ? 'a variable or what may be a key' : 'no text'
    notes.lost(params.at('model'), `found ${found}; allowed: provider/model`, place)
    return
  }
  const named = nameOf(given.trim(), params, platforms)
  const why = named.missing ?? starProblem(name, named.model)
  if (why !== undefined) {
    notes.lost(entry.path, `${why}: the deployment is left out`, place)
    return
  }
  const key = params.text('api_key', place)
  const base = ['api_base', 'base_url', 'azure_endpoint'].find((field) => params.has(field)) ?? 'api_base'
  const address = params.text(base, place)
  const version = params.take('api_version', textOrNumber, { at: place })
  const variable = version === undefined ? undefined : variableIn(version)
  const served = serverOf(
    {
      platform: named.platform,
      key: key === undefined ? undefined : keyOf(key),
      keyAt: params.at('api_key'),
      address,
      addressAt: params.has(base) ? params.at(base) : params.at('model'),
      version: variable === undefined ? version : `env:${variable}`,
      settings: settingsOf(params, named, place),
    },
    draft,
    notes,
    place,
  )
  if (!served) return
  const own = served.model ?? named.model
  notes.carried(
    params.at('model'),
    named.platform !== platforms.anyServer ? undefined : "as the model of a server with OpenAI's API",
  )
  const index = model.deployments.length
  const at: At = () => ['models', name, 'deployments', index]
  const info = entry.object('model_info')
  modelFields(params, model, index === 0, () => ['models', name])
  const silent = params.text('silent_model', at)
  if (silent !== undefined) draft.shadows.push({ of: name, to: silent, from: params.at('silent_model') })
  const fields = deploymentFields(params, info, entry, at)
  model.deployments.push({ provider: served.provider, model: named.platform.model?.(own) ?? own, fields })
  info.loseRest("for LiteLLM's own list of models", at)
  entry.loseRest('no setting of a deployment; litellm_params has those', at)
}

function settingsOf(params: Item, { platform }: Named, at: At): Record<string, unknown> {
  const organization = platform.settings?.includes('organization')
    ? params.take('organization', text, { at })
    : undefined
  const headers = ['extra_headers', 'headers'].flatMap((key) =>
    Object.entries(headersOf(params.raw(key), params.at(key), params.notes, at)),
  )
  return {
    ...(organization !== undefined && { organization: variableText(organization) }),
    ...(headers.length > 0 && { headers: Object.fromEntries(headers) }),
  }
}

function variableText(given: string): string {
  const variable = variableIn(given)
  return variable === undefined ? given : `env:${variable}`
}

/** Splits `provider/model` as LiteLLM does: a bare name belongs to whoever makes such models. */
function nameOf(given: string, params: Item, platforms: Platforms): Named {
  const custom = params.take('custom_llm_provider', text)
  const hasAddress = params.has('api_base') || params.has('base_url')
  const slash = given.indexOf('/')
  const front = custom ?? (slash > 0 ? given.slice(0, slash) : undefined)
  const model = custom !== undefined && !given.startsWith(`${custom}/`) ? given : given.slice(slash + 1)
  const known = front === undefined ? platforms.ofModel(given) : platforms.find(front)
  if (known) return { platform: known, model: front === undefined ? given : model }
  const platform = platforms.anyServer
  // A server whose models have such names.
  if (hasAddress && !(front !== undefined && isForeign(front))) return { platform, model: given }
  return { platform, model: given, missing: `there is no provider for ${front ?? 'a model of this name'}` }
}

function starProblem(name: string, model: string): string | undefined {
  if (model === '') return 'it names no model'
  const stars = model.split('*').length - 1
  if (stars === 0 || (stars === 1 && name.includes('*'))) return undefined
  return stars > 1 ? 'only one * of a model is filled' : 'its * needs one in model_name'
}
