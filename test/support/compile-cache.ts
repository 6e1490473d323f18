import { fileURLToPath } from 'node:url'

/** Keeps what Node compiles for all processes that tests start: a gateway takes a fifth less for its start. */
export default function compileCache(): void {
  process.env.NODE_COMPILE_CACHE = fileURLToPath(new URL('../../node_modules/.cache/compiled', import.meta.url))
}

/** For processes that get an environment of their own. */
export function compiled(): Record<string, string> {
  const { NODE_COMPILE_CACHE: folder } = process.env
  return folder === undefined ? {} : { NODE_COMPILE_CACHE: folder }
}
