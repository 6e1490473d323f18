import type { TokenKind } from '../../prices/worst.ts'
import { isObject, type JsonObject } from '../../wire/json.ts'
import { countParts } from './bounding.ts'

/** Fields with what a model reads: texts in there may speak of anything. */
const prompts: ReadonlySet<string> = new Set([
  ...['messages', 'input', 'prompt', 'contents', 'system', 'instructions', 'tools', 'metadata', 'user'],
])

/**
 * Kinds of tokens that a request without such parts can't have. An hour in a cache must be asked for, while for less than
 * that some providers write all there of their own accord; and what draws needn't be asked for pictures.
 */
export function kindsLacking(asked: JsonObject, media: number): ReadonlySet<TokenKind> {
  const lacking = new Set<TokenKind>()
  if (media === 0) lacking.add('audioInput').add('imageInput')
  if (!mayBeHeard(asked)) lacking.add('audioOutput')
  if (countParts(asked, keepsLonger, 8) === 0) lacking.add('cacheWrite1h')
  return lacking
}

function mayBeHeard(asked: JsonObject): boolean {
  return Object.entries(asked).some(([name, value]) => {
    if (prompts.has(name)) return false
    return /audio/i.test(name) || (typeof value === 'object' && /audio/i.test(JSON.stringify(value)))
  })
}

function keepsLonger({ cache_control: mark }: JsonObject): boolean {
  return isObject(mark) && mark.ttl !== undefined && mark.ttl !== '5m'
}
