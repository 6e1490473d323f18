import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { chat } from '../support/ask.ts'
import { launch } from '../support/program.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kept-'))
})
afterAll(() => rm(folder, { recursive: true }))

async function askedOfOne(file: string, workers: readonly string[] = []) {
  const program = launch(['--config', file, ...workers])
  const [, url = ''] = await program.until(/listens on (http:\S+)/)
  const response = await fetch(`${url}/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(chat('demo/tiny-chat')),
  })
  const reply = { result: response.headers.get('x-samewire-cache'), text: await response.text() }
  program.signal('SIGTERM')
  await program.ended
  return reply
}

it('an answer is kept in the database for the gateways that come later, and for others beside', async () => {
  const file = join(folder, 'config.json')
  const state = { url: `file:${join(folder, 'state.db')}` }
  await writeFile(file, JSON.stringify({ providers: { demo: { type: 'embedded' } }, cache: { ttl: 3600 }, state }))
  const first = await askedOfOne(file)
  const later = await askedOfOne(file)
  const another = await askedOfOne(file, ['--workers', '2'])
  expect([first.result, later, another]).toEqual(['miss', { ...first, result: 'hit' }, { ...first, result: 'hit' }])
})
