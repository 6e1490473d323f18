import { inject } from 'vitest'
import type { BuiltWorker } from '../../scripts/worker.ts'
import type { Measured } from '../bench/processes.ts'
import { startWorkerd } from '../bench/workerd.ts'

/** The Worker as it is deployed, built once for all test files. */
export async function builtWorker(): Promise<BuiltWorker> {
  const response = await fetch(inject('worker'))
  if (!response.ok) throw new Error(`the Worker can't be built: ${await response.text()}`)
  return (await response.json()) as BuiltWorker
}

/** Runs it in workerd itself. By `name` it is called if it ends at once. */
export async function serveWorker(name: string, bindings: Readonly<Record<string, string>>): Promise<Measured> {
  return await startWorkerd(name, await builtWorker(), bindings, null)
}
