import { globSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import { node } from './vitest.config.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const isLong = (file: string) => readFileSync(root + file, 'utf8').includes('/support/usually.ts')

/** `npm run test:long`: the tests that have a longer form than that which is run with every change. */
export default defineConfig({
  test: {
    ...node,
    include: globSync('test/**/*.test.ts', { cwd: root }).filter(isLong),
    provide: { long: true },
    testTimeout: 600_000,
  },
})
