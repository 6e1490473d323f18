import type { Dialect } from './dialect.ts'
import { openai } from './openai/index.ts'

/** All dialects. A new folder needs only its import and a line here. */
export const dialects: readonly Dialect[] = Object.values({
  openai,
})
