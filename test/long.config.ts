import { defineConfig } from 'vitest/config'
import { node } from './vitest.config.ts'

/** `npm run test:long`: what takes too long to be run with every change. */
export default defineConfig({
  test: { ...node, include: ['test/**/*.long.test.ts'], exclude: [], testTimeout: 120_000 },
})
