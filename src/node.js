import { enableCompileCache, flushCompileCache } from 'node:module'
import { fileURLToPath } from 'node:url'

// Half of a start is reading types away and compiling: kept, so that the next one need not do it again. Through the
// environment, since worker processes are to have it too. This file alone is JavaScript: it comes before the cache, and
// for its types alone Node would load its compiler at every start.
process.env.NODE_COMPILE_CACHE ||= fileURLToPath(new URL('../node_modules/.cache/compile', import.meta.url))
enableCompileCache(process.env.NODE_COMPILE_CACHE)

// What V8 sets aside for young objects begins with 2 × 1 MB, too little for a start, and grows to 2 × 64 MB, for little
// less CPU: `npm start` has V8 keep to 2 × 8 MB, and workers inherit it. V8 takes this on its command line only, before
// anything here runs.
const { main } = await import('./node/main.ts')
await main()
flushCompileCache()
