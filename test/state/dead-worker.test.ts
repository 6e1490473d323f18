import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { systemClock } from '../../src/core/clock.ts'
import { openSqlite } from '../../src/node/sqlite.ts'
import { chat } from '../support/ask.ts'
import { configFile, launch } from '../support/program.ts'
import { fakeUpstream, silence } from '../support/upstream.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dead-worker-'))
})
afterAll(() => rm(folder, { recursive: true }))

it('what a worker had taken of a budget is booked as soon as it is dead, not after long silence', async () => {
  const upstream = await fakeUpstream(silence)
  const path = join(folder, 'state.db')
  const config = await configFile({
    providers: { up: { type: 'openai-compatible', baseURL: upstream.url } },
    models: { m: { deployments: [{ model: 'up/m', price: { input: 1, output: 1 }, maxOutput: 100 }] } },
    keys: [{ key: 'env:CI_KEY', name: 'ci', budget: 10 }],
    state: { url: `file:${path}` },
  })
  const program = launch(['--config', config.path, '--workers', '2'], { CI_KEY: 'the-key-of-this-test' })
  const [, url = ''] = await program.until(/listens on (http:\S+)/)
  const [, pid = ''] = await program.until(/processes: (\d+)/)
  const leaving = new AbortController()
  const ask = () =>
    fetch(`${url}/chat/completions`, {
      method: 'POST',
      headers: { authorization: 'Bearer the-key-of-this-test', 'content-type': 'application/json' },
      body: JSON.stringify(chat('m')),
      signal: leaving.signal,
    }).catch(() => {})
  const asked = [ask(), ask(), ask(), ask()]
  const arrived = () => upstream.seen.filter(({ method }) => method === 'POST').length
  await expect.poll(arrived).toBe(4)
  const database = await openSqlite(path, { clock: systemClock })
  const lost = async () => (await database.all('SELECT lost FROM meters')).some((row) => Number(row.lost) > 0)
  process.kill(Number(pid), 'SIGKILL')
  // Whoever looks for those that say nothing takes 15 seconds. Looks are counted: a machine that stands still takes none.
  for (let looks = 0; looks < 200 && !(await lost()); looks++) await new Promise((turn) => setTimeout(turn, 50))
  expect(await lost()).toBe(true)
  await program.until(/A process ended before it settled/)
  await database.close()
  leaving.abort()
  await Promise.all(asked)
  program.signal('SIGKILL')
  await Promise.all([program.ended, config.remove(), upstream.close()])
})
