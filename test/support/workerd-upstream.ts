import type { TestProject } from 'vitest/node'
import { replayServer } from './replay.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    upstream: string
  }
}

/** Runs in Node beside workerd: the recorded servers, and ones that misbehave, on a real port. */
export default async function upstream(project: TestProject): Promise<() => Promise<void>> {
  const server = await replayServer()
  project.provide('upstream', server.url)
  return server.close
}
