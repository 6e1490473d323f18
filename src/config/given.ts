import { describe } from '../wire/body.ts'
import { isObject } from '../wire/json.ts'
import { ConfigError } from './problems.ts'
import type { Config } from './schema.ts'

/**
 * Checks that the value from a file or a variable is an object; its parts are checked later. Throws a `ConfigError`
 * that names `source` for everything else.
 */
export function givenConfig(value: unknown, source?: string): Config {
  if (isObject(value) && !isPromise(value)) return value as Config
  // Don't show the value: it may be a secret in the wrong file.
  const found = isPromise(value)
    ? 'a promise (put `await` before it)'
    : value === undefined
      ? 'nothing'
      : describe(value)
  throw new ConfigError([`found ${found}; allowed: an object, such as { providers: { ollama: { type: … } } }`], source)
}

function isPromise(value: unknown): boolean {
  return isObject(value) && typeof value.then === 'function'
}
