import { spawn } from 'node:child_process'
import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { chat } from '../support/ask.ts'

const entry = fileURLToPath(new URL('../../src/node.js', import.meta.url))

async function explained(input: string): Promise<{ code: number | null; printed: string; problems: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'samewire-explain-'))
  const config = join(folder, 'config.json')
  const a = { type: 'openai-compatible', baseURL: 'http://127.0.0.1:9/v1' }
  const llama = { type: 'llamacpp' }
  const deployments = [{ model: 'a/one', overrides: { seed: 7 } }]
  await writeFile(
    config,
    JSON.stringify({ providers: { a, llama }, models: { m: { deployments, fallbacks: ['a/two'] } } }),
  )
  const child = spawn(process.execPath, [entry, 'explain', '--config', config], { env: { PATH: process.env.PATH } })
  child.stdin.end(input)
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  const [printed, problems, code] = await Promise.all([text(child.stdout), text(child.stderr), ended])
  return { code, printed, problems }
}

it('explains a request on the command line, as a table', async () => {
  const { code, printed } = await explained(
    JSON.stringify(chat('m', { models: ['nothing', 'llama/two'], prediction: { type: 'content' } })),
  )
  expect(code).toBe(0)
  expect(printed).toMatch(/^chat for m\n/)
  expect(printed).toMatch(/^ {2}1 {2}a\/one +requested +600 s, streams 120 s +2 +unknown +seed$/m)
  expect(printed).toMatch(/^ {2}2 {2}llama\/two .* refused: Unsupported parameter: 'prediction' is not /m)
  expect(printed).toMatch(/^ {2}skipped nothing: unknown: /m)
  expect(printed).toContain('after 12 attempts')
})

it('says on the command line what is wrong with a request', async () => {
  const { code, problems } = await explained('{"model": "m"')
  expect([code, problems]).toEqual([1, expect.stringContaining('We could not parse the JSON body of your request')])
})
