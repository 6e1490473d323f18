import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest'
import { chat } from '../support/ask.ts'
import { launch, type Program } from '../support/program.ts'
import { chatAnswer, type FakeUpstream, fakeUpstream, json } from '../support/upstream.ts'

const keys = { ONE: 'the-first-key', TWO: 'the-second-key', THREE: 'the-third-key' }
let upstream: FakeUpstream
let folder: string
let file: string
beforeAll(async () => {
  upstream = await fakeUpstream(json(200, chatAnswer('hello')))
  folder = await mkdtemp(join(tmpdir(), 'together-'))
  file = join(folder, 'config.json')
  const config = {
    providers: { lab: { type: 'openai-compatible', baseURL: upstream.url } },
    models: { m: 'lab/m', small: { deployments: ['lab/m'], rpm: 30 } },
    keys: [{ key: 'env:ONE', rpm: 60 }, { key: 'env:TWO', rpm: 300 }, 'env:THREE'],
  }
  await writeFile(file, JSON.stringify(config))
})
afterAll(async () => {
  await rm(folder, { recursive: true })
  await upstream.close()
})

async function started(
  database: string,
  ...args: readonly string[]
): Promise<{ readonly program: Program; readonly url: string }> {
  const program = launch(['--config', file, ...args], { ...keys, SAMEWIRE_STATE: `file:${join(folder, database)}` })
  onTestFinished(() => program.signal('SIGKILL'))
  const [, url = ''] = await program.until(/listens on (http:\S+)/)
  return { program, url }
}

interface Asked {
  readonly key: string
  readonly model?: string
}

/** Of its own connection, so that the workers take turns. */
function ask(url: string, { key, model = 'm' }: Asked): Promise<Response> {
  return fetch(`${url}/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${key}`, connection: 'close' },
    body: JSON.stringify(chat(model)),
  })
}

/** Asks so often, ten at once. Resolves with how many were answered. */
async function answered(url: string, count: number, asked: Asked): Promise<number> {
  let [left, answers] = [count, 0]
  const client = async () => {
    while (left-- > 0) {
      const response = await ask(url, asked)
      await response.text()
      if (response.status === 200) answers++
      else expect([response.status, Number(response.headers.get('retry-after-ms')) > 0]).toEqual([429, true])
    }
  }
  await Promise.all(Array.from({ length: 10 }, client))
  return answers
}

async function stop(program: Program): Promise<void> {
  program.signal('SIGTERM')
  await program.ended
}

it('two workers keep to the limits of a key and of a model together, to the last request, also when one is killed', async () => {
  const { program, url } = await started('two.db', '--workers', '2')
  const began = Date.now()
  /** What the limit holds, and what has come since. */
  const most = (rpm: number) => rpm + ((Date.now() - began) / 60_000) * rpm

  const first = await ask(url, { key: keys.ONE })
  expect([first.status, first.headers.get('x-ratelimit-remaining-requests')]).toEqual([200, '59'])
  const ofKey = 1 + (await answered(url, 100, { key: keys.ONE }))
  expect(ofKey).toBeGreaterThanOrEqual(60)
  expect(ofKey).toBeLessThanOrEqual(most(60))

  const ofModel = await answered(url, 60, { key: keys.THREE, model: 'small' })
  expect(ofModel).toBeGreaterThanOrEqual(30)
  expect(ofModel).toBeLessThanOrEqual(most(30))

  const early = await answered(url, 50, { key: keys.TWO })
  const [, victim] = await program.until(/processes: (\d+)/)
  process.kill(Number(victim), 'SIGKILL')
  await program.until(/worker \d+ answers/)
  const later = await answered(url, 320, { key: keys.TWO })
  expect(early).toBe(50)
  // What the killed one had taken ahead may be lost: a quarter, if it took it before it knew of the other.
  expect(later).toBeGreaterThan(250 - 75)
  expect(early + later).toBeLessThanOrEqual(most(300))
  await stop(program)
})

it('a process alone knows after a crash what was used before, and goes on at once', async () => {
  const before = await started('one.db')
  const began = Date.now()
  const early = await answered(before.url, 100, { key: keys.TWO })
  before.program.signal('SIGKILL')
  await before.program.ended
  const after = await started('one.db')
  const later = await answered(after.url, 300, { key: keys.TWO })
  expect(early + later).toBeLessThanOrEqual(300 + ((Date.now() - began) / 60_000) * 300)
  // A quarter of what was left may be lost.
  expect(early + later).toBeGreaterThan(225)
  await stop(after.program)
})
