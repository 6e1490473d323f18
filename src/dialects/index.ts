import type { Dialect } from './dialect.ts'
import { openai } from './openai/index.ts'

/** All dialects. A new folder needs only a line here. */
export const dialects: readonly Dialect[] = [openai]
