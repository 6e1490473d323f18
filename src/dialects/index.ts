import { type DialectRoute, type LateRoute, late } from './dialect.ts'
import { addresses as ollamaAddresses } from './ollama/addresses.ts'
import { openai } from './openai/index.ts'

/** All dialects. A new folder needs only its imports and a line here. */
export const dialects: readonly { readonly routes: readonly (DialectRoute | LateRoute)[] }[] = [
  openai,
  { routes: late(ollamaAddresses, () => import('./ollama/index.ts').then(({ ollama }) => ollama)) },
]
