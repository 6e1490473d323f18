import { createRequire } from 'node:module'
import type undici from 'undici'

const load = createRequire(import.meta.url)

// Only the files that the transport needs: all of undici, with its caches, mocks and WebSockets, takes 40 ms more to load.
export const Pool = load('undici/lib/dispatcher/pool.js') as typeof undici.Pool
export const buildConnector = load('undici/lib/core/connect.js') as typeof undici.buildConnector
