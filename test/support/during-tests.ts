import { afterAll, beforeAll } from 'vitest'

/**
 * Starts something before the tests of this file or `describe`, and closes it after: what is started last is closed
 * first. What it returns is empty until then.
 */
export function duringTests<T extends { close(): Promise<void> }>(start: () => Promise<T>): T {
  const running = {} as T
  beforeAll(async () => {
    Object.assign(running, await start())
  })
  afterAll(() => running.close())
  return running
}
