import type { TokenKind } from '../../prices/worst.ts'
import { isObject, type JsonObject } from '../../wire/json.ts'
import { countParts } from './bounding.ts'

/** Fields with what a model reads: texts in there may speak of anything. */
const prompts: ReadonlySet<string> = new Set([
  ...['messages', 'input', 'prompt', 'contents', 'system', 'instructions', 'tools', 'metadata', 'user'],
])

const [noMedia, noSound, noLongCache] = [1, 2, 4]

/** By those of the three that hold. The same for all requests that are alike: what is made of them is remembered. */
const lacking: readonly ReadonlySet<TokenKind>[] = Array.from({ length: 8 }, (_, which) => {
  return new Set<TokenKind>([
    ...(which & noMedia ? (['audioInput', 'imageInput'] as const) : []),
    ...(which & noSound ? (['audioOutput'] as const) : []),
    ...(which & noLongCache ? (['cacheWrite1h'] as const) : []),
  ])
})

/**
 * Kinds of tokens that a request without such parts can't have. An hour in a cache must be asked for, while for less than
 * that some providers write all there of their own accord; and what draws needn't be asked for pictures.
 */
export function kindsLacking(asked: JsonObject, media: number): ReadonlySet<TokenKind> {
  let which = media === 0 ? noMedia : 0
  if (!mayBeHeard(asked)) which |= noSound
  if (countParts(asked, keepsLonger) === 0) which |= noLongCache
  return lacking[which] as ReadonlySet<TokenKind>
}

function mayBeHeard(asked: JsonObject): boolean {
  for (const name in asked) {
    if (prompts.has(name)) continue
    const value = asked[name]
    if (/audio/i.test(name) || (typeof value === 'object' && /audio/i.test(JSON.stringify(value)))) return true
  }
  return false
}

function keepsLonger({ cache_control: mark }: JsonObject): boolean {
  return isObject(mark) && mark.ttl !== undefined && mark.ttl !== '5m'
}
