import { once } from 'node:events'
import { rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import type { BuiltWorker } from '../../scripts/worker.ts'
import { bundle, cache } from '../bench/workerd.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    worker: string
  }
}

/** Builds the Worker for all test files, once the first of them asks for it. */
export default async function builder(project: TestProject): Promise<() => Promise<void>> {
  const name = `tests-${process.pid}`
  let built: Promise<BuiltWorker> | undefined
  const server = createServer(async (_, response) => {
    // A connection that is kept may end just when somebody asks again.
    response.setHeader('connection', 'close')
    built ??= bundle(name, 'src/worker.ts')
    await built.then(
      (worker) => response.end(JSON.stringify(worker)),
      (error) => response.writeHead(500).end(String(error)),
    )
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  project.provide('worker', `http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  return async () => {
    server.close()
    if (built) await rm(join(cache, name), { recursive: true })
  }
}
