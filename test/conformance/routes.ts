import { operations } from '../../src/operations/all.ts'
import type { Route } from './judge.ts'

/** Those that are requests and answers: a session over a WebSocket is neither, and has tests of its own. */
const requested = Object.values(operations).filter((operation) => operation.routes.length > 0)

/** The rows: every operation, by itself, and what is looked up without one. */
export const routes: Readonly<Record<string, Route>> = {
  models: { method: 'get', path: '/models' },
  ...Object.fromEntries(requested.map(({ name, path }) => [name, { method: 'post', path }])),
}
