import type { TestProject } from 'vitest/node'
import { exchangeServer } from './exchange-server.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    upstream: string
  }
}

/** Runs in Node next to workerd: the recorded servers, and broken ones, on a real port. */
export default async function upstream(project: TestProject): Promise<() => Promise<void>> {
  const server = await exchangeServer()
  project.provide('upstream', server.url)
  return server.close
}
