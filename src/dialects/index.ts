import { addresses as anthropic } from './anthropic/addresses.ts'
import { type Dialect, late } from './dialect.ts'
import { addresses as gemini } from './gemini/addresses.ts'
import { addresses as ollama } from './ollama/addresses.ts'
import { openai } from './openai/index.ts'

/** All dialects. A new folder needs only its import and a line here. */
export const dialects: readonly Dialect[] = Object.values({
  openai,
  anthropic: { routes: late(Object.values(anthropic), () => import('./anthropic/index.ts').then((m) => m.anthropic)) },
  gemini: { routes: late(gemini, () => import('./gemini/index.ts').then((m) => m.gemini)) },
  ollama: { routes: late(ollama, () => import('./ollama/index.ts').then((m) => m.ollama)) },
})
