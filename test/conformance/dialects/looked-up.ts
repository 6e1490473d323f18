import type { Got } from '../cells.ts'
import type { Check } from '../json-schema.ts'
import type { DialectAsk } from './dialect.ts'

/** A request for what is known without asking a model. */
export function lookUp(about: string, path: string, check: (got: Got) => string | undefined): DialectAsk {
  return { about, upstream: 'chat', path, check }
}

/** Checks an answer in JSON. */
export const whole =
  (check: Check) =>
  ({ text }: Got): string | undefined =>
    check(JSON.parse(text))
