import { cloudflareTest } from '@cloudflare/vitest-plugin'
import { defineConfig } from 'vitest/config'

/** On Node. */
export const node = {
  globalSetup: ['./test/support/compile-cache.ts', './test/support/worker-builder.ts'],
  // The gateway's modules are read once for many files, which takes half of the time otherwise: no test may change them.
  isolate: false,
  // What is waited for comes late on a busy machine, which is no fault: some stand still for tens of seconds.
  testTimeout: 60_000,
  hookTimeout: 120_000,
  expect: { poll: { timeout: 45_000 } },
}

/** The same contracts on both runtimes: `node` runs everything else too, `workerd` what must hold in the Worker. */
export default defineConfig({
  test: {
    // Many tests wait for processes and for time to pass: more of them than cores.
    maxWorkers: 5,
    projects: [
      {
        test: {
          ...node,
          name: 'node',
          include: ['test/**/*.test.ts'],
          exclude: ['test/workerd/**', '**/node_modules/**'],
        },
      },
      {
        plugins: [
          cloudflareTest(({ inject }) => ({
            main: './src/worker.ts',
            wrangler: { configPath: './wrangler.toml' },
            remoteBindings: false,
            miniflare: {
              bindings: { UPSTREAM: inject('upstream'), SAMEWIRE_KEY: 'sk-workerd-test-key' },
              // As wrangler.toml has them in comments.
              d1Databases: { DB: 'samewire' },
              durableObjects: {
                METERS: { className: 'Meters', useSQLite: true },
                FLIGHTS: { className: 'Flights', useSQLite: true },
              },
            },
          })),
        ],
        test: {
          name: 'workerd',
          include: ['test/workerd/**/*.test.ts'],
          globalSetup: ['./test/support/workerd-upstream.ts'],
          testTimeout: node.testTimeout,
          hookTimeout: node.hookTimeout,
          expect: node.expect,
        },
      },
    ],
  },
})
