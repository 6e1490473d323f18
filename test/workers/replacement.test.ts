import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { systemClock } from '../../src/core/clock.ts'
import { Workers } from '../../src/runtime/workers.ts'
import { hastyClock, until } from '../support/ask.ts'

const file = fileURLToPath(new URL('./dying-worker.ts', import.meta.url))

it('gives up when a worker dies before all can answer', async () => {
  const logged: string[] = []
  const workers = new Workers({
    count: 2,
    file,
    job: 'before',
    clock: hastyClock(),
    log: (message) => logged.push(message),
  })
  await expect(workers.start()).rejects.toThrow('A worker ended with code 3 before it could answer.')
  await workers.stop()
  expect(logged).toEqual([])
})

it('replaces workers that keep dying later and later', async () => {
  const clock = hastyClock(5_000)
  const logged: string[] = []
  const workers = await new Promise<Workers<string>>((resolve) => {
    const dying: Workers<string> = new Workers({
      count: 1,
      file,
      job: 'after',
      clock,
      log(message) {
        logged.push(message.replace(/\d+/, 'N'))
        if (message.endsWith('in 8 s')) resolve(dying)
      },
    })
    void dying.start()
  })
  await workers.stop()
  const replaced = 'worker N ended with code 4; another takes its place'
  expect(logged).toEqual([
    replaced,
    'worker N answers',
    `${replaced} in 1 s`,
    'worker N answers',
    `${replaced} in 2 s`,
    'worker N answers',
    `${replaced} in 4 s`,
    'worker N answers',
    `${replaced} in 8 s`,
  ])
  expect(clock.waits).toEqual([0, 1_000, 2_000, 4_000])
})

it('replaces a worker that can’t take another job by one that begins with it', async () => {
  const logged: string[] = []
  const workers = new Workers({
    count: 2,
    file: fileURLToPath(new URL('./unfit-worker.ts', import.meta.url)),
    job: 'first',
    clock: systemClock,
    log: (message) => logged.push(message),
  })
  const pids = await workers.start()
  const versions = () => workers.versions.map(({ version }) => version)
  await workers.reload('second')
  expect(versions()).toEqual(['second', 'second'])
  expect(workers.versions.map(({ pid }) => pid)).toEqual(pids)
  await workers.reload('unfit')
  await until(() => workers.versions.length === 2)
  expect(versions()).toEqual(['unfit', 'unfit'])
  expect(logged.filter((line) => line.includes('it has no room'))).toHaveLength(2)
  await workers.stop()
})
