import type { Catalog, Limits, Resilience } from '../core/catalog.ts'
import type { Config } from './schema.ts'

type LimitsConfig = Pick<Config, keyof Limits>

/** Times in seconds. */
const defaultLimits = {
  connectTimeout: 10,
  timeout: 600,
  streamTimeout: 120,
  idleTimeout: 120,
  retries: 2,
  streams: undefined,
  hedge: false,
  routingStrategy: 'simple-shuffle',
  sticky: undefined,
  resume: false,
  dropParams: undefined,
  thinkTags: undefined,
  textualCalls: true,
  cache: undefined,
} as const

/** Limits with times in milliseconds. The model's own come before the general ones. */
export function limitsOf(general: LimitsConfig, own: LimitsConfig = {}): Limits {
  const pick = <K extends keyof Limits>(key: K) => own[key] ?? general[key] ?? defaultLimits[key]
  return {
    connectTimeout: pick('connectTimeout') * 1000,
    timeout: pick('timeout') * 1000,
    streamTimeout: pick('streamTimeout') * 1000,
    idleTimeout: pick('idleTimeout') * 1000,
    retries: pick('retries'),
    streams: pick('streams'),
    hedge: hedgeOf(pick('hedge')),
    routingStrategy: pick('routingStrategy'),
    sticky: pick('sticky'),
    resume: pick('resume'),
    dropParams: pick('dropParams'),
    thinkTags: pick('thinkTags'),
    textualCalls: pick('textualCalls'),
    cache: cacheOf(general.cache, own.cache),
  }
}

function cacheOf(general: LimitsConfig['cache'], own: LimitsConfig['cache']): Limits['cache'] {
  const { ttl, ...others } = { ...(general || {}), ...(own || {}) }
  if (own === false || ttl === undefined) return undefined
  const { scope = 'key', cacheFallbacks = false, maxEntryBytes = 1024 * 1024 } = others
  return { ttl: ttl * 1000, scope, cacheFallbacks, maxEntryBytes }
}

function hedgeOf(hedge: LimitsConfig['hedge']): Limits['hedge'] {
  if (typeof hedge !== 'object') return hedge ? {} : undefined
  return hedge.after === undefined ? {} : { after: hedge.after * 1000 }
}

export function resilienceOf({ cooldown = {}, onExhausted, maxAttempts, requestTimeout = 1200 }: Config): Resilience {
  const { allowedFails = 5, failureRate = 0.5, minRequests = 20, window = 30 } = cooldown || {}
  const { cooldownTime = 5, maxCooldownTime = Math.max(120, cooldownTime) } = cooldown || {}
  const times = { window: window * 1000, cooldownTime: cooldownTime * 1000, longest: maxCooldownTime * 1000 }
  return {
    cooldown: cooldown === false ? undefined : { allowedFails, failureRate, minRequests, ...times },
    onExhausted: onExhausted ?? 'least_bad',
    maxAttempts: maxAttempts ?? 12,
    requestTimeout: requestTimeout * 1000,
  }
}

export function imagesOf({ fetchImages = true }: Config): Catalog['images'] {
  const hosts = typeof fetchImages === 'object' ? (fetchImages.hosts ?? []) : []
  return { enabled: fetchImages !== false, hosts: new Set(hosts.map((host) => host.toLowerCase())) }
}
