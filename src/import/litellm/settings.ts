import { isObject } from '../../wire/json.ts'
import type { Draft } from '../draft.ts'
import { count, flag, seconds } from '../kinds.ts'
import type { At, Item } from '../notes.ts'
import { keyOf } from '../secrets.ts'
import { readFallbacks } from './fallbacks.ts'
import { mostRetries, onlyOfKeys } from './params.ts'

type Settings = { -readonly [K in keyof Draft['settings']]: Draft['settings'][K] }

/** `router_settings` and `litellm_settings`: the first comes before the second where both have the same. */
export function readSettings(router: Item, settings: Item, draft: Draft): void {
  const own = draft.settings as Settings
  const top: At = () => []
  for (const item of [settings, router]) {
    const retries = item.take('num_retries', count, { at: () => ['retries'], changed: retriesChange })
    if (retries !== undefined) own.retries = Math.min(retries, mostRetries)
    const timeout = item.take(item === router ? 'timeout' : 'request_timeout', seconds)
    if (timeout !== undefined) own.timeout = timeout
    const stream = item.take('stream_timeout', seconds)
    if (stream !== undefined) own.streamTimeout = stream
    readCooldown(item, own)
    if (item.take('drop_params', flag)) own.dropParams = true
  }
  readStrategy(router, own)
  readAliases(router, draft)
  readFallbacks(router, settings, draft)
  router.raw('default_litellm_params')
  if (router.has('default_litellm_params')) {
    router.notes.carried(router.at('default_litellm_params'), 'with each deployment')
  }
  if (router.raw('enable_pre_call_checks') !== undefined) {
    router.notes.carried(router.at('enable_pre_call_checks'), 'the room that a model has is always looked at')
  }
  readChecks(router)
  router.lose(lostRouter, top)
  router.loseRest('no setting that is known here', top)
  settings.lose(lostSettings, top)
  settings.loseRest('no setting that is known here', top)
}

const retriesChange = `on the same deployment, up to ${mostRetries}; the model's others come after that`

function readCooldown(item: Item, own: Settings): void {
  const at: At = () => ['cooldown']
  const put = (fields: Exclude<Settings['cooldown'], false | undefined>) => {
    if (own.cooldown !== false) own.cooldown = { ...own.cooldown, ...fields }
  }
  const fails = item.take('allowed_fails', count, {
    at,
    changed: 'failures in a row, not in a minute; the one after the allowed ones counts',
  })
  if (fails !== undefined) put({ allowedFails: fails + 1 })
  const time = item.take('cooldown_time', seconds, { at, changed: 'the first cooldown; it does not grow' })
  if (time !== undefined) put({ cooldownTime: time, maxCooldownTime: time })
  if (item.take('disable_cooldowns', flag)) own.cooldown = false
}

const strategies: Readonly<Record<string, Settings['routingStrategy']>> = {
  'simple-shuffle': 'simple-shuffle',
  'least-busy': 'least-busy',
  'usage-based-routing': 'usage-based',
  'usage-based-routing-v2': 'usage-based',
  'latency-based-routing': 'latency-based',
  'cost-based-routing': 'cost-based',
}

function readStrategy(router: Item, own: Settings): void {
  const given = router.text('routing_strategy')
  if (given === undefined) return
  const strategy = Object.hasOwn(strategies, given) ? strategies[given] : undefined
  if (strategy === undefined)
    router.notes.lost(router.at('routing_strategy'), 'no strategy that is known here', () => [])
  else {
    router.notes.carried(router.at('routing_strategy'))
    if (strategy !== 'simple-shuffle') own.routingStrategy = strategy
  }
}

function readChecks(router: Item): void {
  for (const { value, path } of router.list('optional_pre_call_checks')) {
    if (/^(prompt_caching|deployment_affinity|session_affinity)$/.test(String(value))) {
      router.notes.changed(path, 'requests of one session go to one deployment anyway: see sticky')
    } else router.notes.lost(path, 'no such check', () => [])
  }
}

function readAliases(router: Item, draft: Draft): void {
  const aliases = router.object('model_group_alias')
  for (const alias of aliases.unread()) {
    const value = aliases.raw(alias)
    const target = isObject(value) ? value.model : value
    const path = aliases.at(alias)
    if (
      typeof target !== 'string' ||
      alias === '' ||
      alias.includes('*') ||
      !draft.serves(target) ||
      leadsTo(alias, target, draft)
    ) {
      if (target === alias && draft.serves(alias)) router.notes.carried(path)
      else router.notes.lost(path, 'it stands for no model that is carried', () => ['models'])
      continue
    }
    const hides = draft.models.has(alias)
    if (hides) draft.models.delete(alias)
    const filled = draft.models.has(target) || draft.aliases.has(target) ? undefined : draft.filled(target)
    if (filled) draft.models.set(alias, filled)
    else draft.aliases.set(alias, target)
    const hidden = isObject(value) && value.hidden === true
    const changed = hides
      ? 'its own deployments are left out, since the alias hides them'
      : hidden
        ? 'it is listed among the models'
        : undefined
    if (changed) router.notes.changed(path, changed, () => ['models', alias])
    else router.notes.carried(path)
  }
}

function leadsTo(alias: string, target: string, draft: Draft): boolean {
  const seen = new Set<string>()
  for (let at: string | undefined = target; at !== undefined && !seen.has(at); at = draft.aliases.get(at)) {
    if (at === alias) return true
    seen.add(at)
  }
  return false
}

const lostRouter: Readonly<Record<string, string>> = {
  routing_strategy_args: 'strategies have no settings',
  retry_policy: 'which failures are retried is decided by their kind',
  model_group_retry_policy: 'which failures are retried is decided by their kind; see retries of a model',
  allowed_fails_policy: 'failures count alike, whatever their kind',
  retry_after: 'waits are random, or what the provider asks for',
  redis_host: 'each process counts for itself',
  redis_port: 'each process counts for itself',
  redis_password: 'each process counts for itself',
  redis_url: 'each process counts for itself',
  redis_db: 'each process counts for itself',
  cache_responses: 'here `cache` has answers kept: set it',
  cache_kwargs: 'here `cache` has answers kept: set it',
  caching_groups: 'here `cache` has answers kept: set it',
  enable_tag_filtering: 'samewire does not route by tags',
  provider_budget_config: onlyOfKeys,
  max_fallbacks: 'see maxAttempts',
  set_verbose: 'the log has one line for each request',
  debug_level: 'the log has one line for each request',
}

const lostSettings: Readonly<Record<string, string>> = {
  callbacks: 'there are no callbacks',
  success_callback: 'there are no callbacks',
  failure_callback: 'there are no callbacks',
  service_callback: 'there are no callbacks',
  cache: 'here `cache` has answers kept: set it',
  cache_params: 'here `cache` has answers kept: set it',
  set_verbose: 'the log has one line for each request',
  json_logs: 'the log has one line for each request',
  modify_params: 'what a provider needs otherwise is changed without a setting',
  ssl_verify: 'certificates are always checked; Node reads NODE_EXTRA_CA_CERTS',
  max_budget: onlyOfKeys,
  budget_duration: onlyOfKeys,
  guardrails: 'there are no guardrails',
  master_key: 'LiteLLM does not read it here; general_settings has it',
}

/** `general_settings`: the gateway's own key. */
export function readGeneral(general: Item, draft: Draft): void {
  const own = draft.settings as Settings
  const given = general.text('master_key', () => ['keys'])
  if (given !== undefined) {
    const key = keyOf(given)
    const variable = 'variable' in key ? key.variable : 'SAMEWIRE_KEY'
    own.keys = [`env:${variable}`]
    draft.variables.add(variable)
    if ('variable' in key) general.notes.carried(general.at('master_key'))
    else
      general.notes.changed(
        general.at('master_key'),
        `a key that is written out is not copied; put it into ${variable}`,
        () => ['keys'],
      )
  }
  const megabytes = general.take('max_request_size_mb', seconds)
  if (megabytes !== undefined) own.bodyLimit = Math.max(1, Math.round(megabytes * 1024 * 1024))
  const model = general.text('completion_model')
  if (model !== undefined && draft.serves(model)) {
    own.fallback = model
    general.notes.changed(general.at('completion_model'), 'for requests that name no model that is there', () => [
      'fallback',
    ])
  } else if (model !== undefined) {
    general.notes.lost(general.at('completion_model'), 'it is no model that is carried', () => [])
  }
  general.lose(lostGeneral, () => [])
  general.loseRest('no setting that is known here', () => [])
}

const ownDatabase = 'keys and usage are kept in a database of its own: set `state`'

const lostGeneral: Readonly<Record<string, string>> = {
  database_url: ownDatabase,
  store_model_in_db: ownDatabase,
  disable_spend_logs: ownDatabase,
  alerting: 'there are no alerts',
  alerting_threshold: 'there are no alerts',
  alert_to_webhook_url: 'there are no alerts',
  alerting_args: 'there are no alerts',
  background_health_checks: 'no provider is asked for its health',
  health_check_interval: 'no provider is asked for its health',
  custom_auth: 'clients show one of the keys',
  enable_jwt_auth: 'clients show one of the keys',
  litellm_jwtauth: 'clients show one of the keys',
  pass_through_endpoints: "only what OpenAI's API has goes through as it is: see passThrough",
}
