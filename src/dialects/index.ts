import { addresses as anthropic } from './anthropic/addresses.ts'
import { type DialectRoute, type LateRoute, late } from './dialect.ts'
import { openai } from './openai/index.ts'

interface Served {
  readonly routes: readonly (DialectRoute | LateRoute)[]
}

/** All dialects. A new folder needs only its import and a line here. */
export const dialects: readonly Served[] = Object.values({
  openai,
  anthropic: { routes: late(Object.values(anthropic), async () => (await import('./anthropic/index.ts')).anthropic) },
})
