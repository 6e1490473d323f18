import { describe } from '../wire/body.ts'
import { isObject } from '../wire/json.ts'
import { ConfigError } from './problems.ts'
import type { Config } from './schema.ts'

/**
 * What a file or a variable holds, as far as it can be a configuration at all: an object, whose parts are checked later.
 * Throws a `ConfigError` that names `source` for everything else.
 */
export function givenConfig(value: unknown, source?: string): Config {
  if (isObject(value) && !isPromise(value)) return value as Config
  // Not the value itself: it may be a secret that got into the wrong file.
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
