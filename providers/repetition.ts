import type { OperationSpec } from '../src/core/provider.ts'
import { edited, type RequestBody } from '../src/wire/body.ts'

const [usual, own] = ['repetition_penalty', 'repeat_penalty'] as const

/**
 * The operation of llama.cpp and of what is built on it: they call a penalty `repeat_penalty`, and ignore the name that
 * vLLM, TGI and OpenRouter have for it.
 */
export function withRepeatPenalty(spec: OperationSpec): OperationSpec {
  const { rephrase } = spec
  return { ...spec, rephrase: (body) => renamed(rephrase?.(body) ?? body) }
}

function renamed(body: RequestBody): RequestBody {
  const { [usual]: penalty, [own]: theirs } = body.outline
  if (penalty === undefined) return body
  const isSaid = penalty !== null && (theirs === undefined || theirs === null)
  return edited(body, { drop: new Set([usual]), ...(isSaid && { set: new Map([[own, JSON.stringify(penalty)]]) }) })
}
