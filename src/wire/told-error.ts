import { isObject, type JsonObject } from './json.ts'

/**
 * The error that an answer, or an event of a stream, reports beside or instead of its content. Many servers always send
 * the key: an `error` that says nothing is none.
 */
export function toldError(answer: JsonObject): unknown {
  // vLLM's errors of old: `{"object": "error", "message": "…"}`.
  if (answer.object === 'error') return answer
  // MiniMax: `{"choices": null, "base_resp": {"status_code": 1004, "status_msg": "…"}}`, and 0 in each good answer.
  if (isObject(answer.base_resp) && !saysNothing(answer.base_resp.status_code)) return answer
  if (!saysNothing(answer.error)) return answer.error
  return Array.isArray(answer.choices) ? undefined : reportIn(answer)
}

/**
 * The failure that an envelope reports in place of an answer: `{code, msg}` of many Chinese APIs, FastAPI's `{detail}`, and
 * Cloudflare's `{success: false, errors}` (cloudflare/cloudflare-docs#15116).
 */
function reportIn(answer: JsonObject): unknown {
  const { success, code, message, msg, detail } = answer
  if (success === false || (!saysNothing(detail) && isOnlyDetail(answer))) return answer
  return saysNothing(code) || saysNothing(message || msg) ? undefined : answer
}

/** FastAPI's `{"detail": "CUDA out of memory"}`, which other answers have beside their content. */
function isOnlyDetail(answer: JsonObject): boolean {
  return Object.entries(answer).every(
    ([key, value]) => key === 'detail' || (/^(status(_code)?|code)$/.test(key) && typeof value === 'number'),
  )
}

/** Texts with which servers fill a field that they have no error for. */
const fillers = /^\s*(null|none|nil|n\/a|ok|success(ful)?|no error|0|200)?\.?\s*$/i

/** Whether a value, however nested, holds no word of an error. The codes 0 and 200 mean success. */
function saysNothing(value: unknown): boolean {
  if (typeof value === 'string') return fillers.test(value)
  if (Array.isArray(value)) return value.every(saysNothing)
  if (isObject(value)) return Object.values(value).every(saysNothing)
  return value === undefined || value === null || value === false || value === 0 || value === 200
}
