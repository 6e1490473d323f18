import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestHarness, type TestHarness } from 'wrangler'

const root = new URL('../../', import.meta.url)
const built = new URL('dist/test-worker/', root)
const key = 'sk-of-the-built-worker'
/** Bytes, compressed: what an isolate has to load before its first answer. */
const budget = 192 * 1024

/** The bundle as it is deployed, not its sources. */
describe('the built Worker', () => {
  let server: TestHarness
  let client: OpenAI

  beforeAll(async () => {
    const wrangler = fileURLToPath(new URL('node_modules/wrangler/bin/wrangler.js', root))
    const given = ['deploy', '--dry-run', '--minify', '--outdir', fileURLToPath(built)]
    const env = { ...process.env, WRANGLER_SEND_METRICS: 'false', CI: 'true' }
    await promisify(execFile)(process.execPath, [wrangler, ...given], { cwd: fileURLToPath(root), env })
    server = createTestHarness({
      workers: [
        { configPath: new URL('wrangler.toml', root), prebuiltWorkerDir: built, secrets: { SAMEWIRE_KEY: key } },
      ],
    })
    const { url } = await server.listen()
    client = new OpenAI({ baseURL: new URL('/v1', url).href, apiKey: key, maxRetries: 0 })
  })
  afterAll(() => server.close())

  const chat = { model: 'demo/tiny-chat', messages: [{ role: 'user', content: 'hi' }], temperature: 0 } as const

  it('answers a chat', async () => {
    const { data, response } = await client.chat.completions
      .create({ ...chat, messages: [...chat.messages] })
      .withResponse()
    expect(data.choices[0]?.message.content).toBe('Hello! How can I help you?')
    expect(response.headers.get('x-samewire-model')).toBe('demo/tiny-chat')
  })

  it('streams a chat', async () => {
    const answer = await client.chat.completions.stream({ ...chat, messages: [...chat.messages] }).finalChatCompletion()
    expect(answer.choices[0]).toMatchObject({
      finish_reason: 'stop',
      message: { content: 'Hello! How can I help you?' },
    })
  })

  it('lets nobody in without the key', async () => {
    await expect(
      client.withOptions({ apiKey: 'sk-another' }).chat.completions.create({ ...chat, messages: [...chat.messages] }),
    ).rejects.toMatchObject({ status: 401, code: 'invalid_api_key' })
  })

  it('is small enough to start at once', async () => {
    const size = gzipSync(await readFile(new URL('worker.js', built)), { level: 9 }).length
    console.log(`the built Worker: ${(size / 1024).toFixed(1)} KiB compressed, of ${budget / 1024}`)
    expect(size).toBeGreaterThan(0)
    expect(size).toBeLessThanOrEqual(budget)
  })
})
