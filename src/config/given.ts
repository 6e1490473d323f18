import { describe } from '../wire/body.ts'
import { isObject } from '../wire/json.ts'
import { plainCopy } from './plain.ts'
import { ConfigError } from './problems.ts'
import type { Config } from './schema.ts'

/**
 * Checks that the value from a file or a variable is an object, and returns a plain copy; its parts are checked later.
 * Throws a `ConfigError` that names `source` for everything else.
 */
export function givenConfig(value: unknown, source?: string): Config {
  const isPromise = value instanceof Promise
  const problems: string[] = []
  const config = isPromise ? undefined : plainCopy(value, problems)
  if (problems.length > 0) throw new ConfigError(problems, source)
  if (isObject(config) && typeof config.then !== 'function') {
    // By which editors check the file.
    const { $schema: _, ...rest } = config
    return rest as Config
  }
  // Don't show the value: it may be a secret in the wrong file.
  const found = isPromise || isObject(config) ? 'a promise (put `await` before it)' : describe(config)
  throw new ConfigError([`found ${found}; allowed: an object, such as { providers: { ollama: { type: … } } }`], source)
}
