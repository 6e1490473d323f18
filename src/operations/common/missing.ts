import type { Fault } from '../../core/stream-reader.ts'
import type { JsonObject } from '../../wire/json.ts'
import { toldError } from '../../wire/told-error.ts'

/** Why an answer without choices is none: an error in it, or no list or text under `key`. */
export function missing(key: string, kind: 'list' | 'text'): (answer: JsonObject) => Fault | undefined {
  return (answer) => {
    const error = toldError(answer)
    if (error !== undefined) return { told: answer }
    const value = answer[key]
    if (kind === 'text' ? typeof value === 'string' : Array.isArray(value)) return undefined
    return { wrong: `sent an answer without ${key}` }
  }
}
