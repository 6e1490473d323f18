import { operations } from '../../src/operations/index.ts'
import type { Route } from './judge.ts'

/** The rows: every operation, by itself, and what is looked up without one. */
export const routes: Readonly<Record<string, Route>> = {
  models: { method: 'get', path: '/models' },
  ...Object.fromEntries(Object.values(operations).map(({ name, path }) => [name, { method: 'post', path }])),
}
