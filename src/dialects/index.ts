import type { Dialect } from './dialect.ts'
import { openai } from './openai/index.ts'

/** Every dialect. One line here is all that a new folder needs. */
export const dialects: readonly Dialect[] = [openai]
