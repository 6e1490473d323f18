/** What test/vitest.config.ts binds beside the Worker's own. */
declare namespace Cloudflare {
  interface Env {
    UPSTREAM: string
    SAMEWIRE_KEY: string
    DB: D1Database
    FLIGHTS: DurableObjectNamespace<import('../../src/worker.ts').Flights>
    METERS: DurableObjectNamespace<import('../../src/worker.ts').Meters>
  }
}
