import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { launch } from '../support/program.ts'

const variables = "# ours\nSAMEWIRE_KEY='our-key'\nSAMEWIRE_UNUSED=1\n"
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'samewire-env-'))
})

afterAll(() => rm(folder, { recursive: true }))

describe('A .env in the working directory', () => {
  it.each(['1', '2'])(
    'gives the gateway its key, though a byte order mark begins it, with %s workers',
    async (workers) => {
      await writeFile(join(folder, '.env'), `\ufeff${variables.slice(variables.indexOf('\n') + 1)}`)
      const program = launch(['--workers', workers], {}, folder)
      expect(await statuses(program, ['none', 'our-key'])).toEqual([401, 200])
    },
  )

  it('gives way to the environment', async () => {
    await writeFile(join(folder, '.env'), variables)
    const program = launch([], { SAMEWIRE_KEY: 'another-key' }, folder)
    expect(await statuses(program, ['our-key', 'another-key'])).toEqual([401, 200])
  })

  it('is refused with its name if it is UTF-16, as PowerShell writes it', async () => {
    await writeFile(join(folder, '.env'), `\ufeff${variables}`, 'utf16le')
    const program = launch([], {}, folder)
    expect(await program.ended).toBe(1)
    expect(program.printed()).toBe(".env can't be used:\n  it is text in UTF-16; allowed: UTF-8\n")
  })
})

/** What the gateway answers to each key. Ends it. */
async function statuses(program: ReturnType<typeof launch>, keys: readonly string[]): Promise<number[]> {
  const [, url] = await program.until(/listens on (\S+)/)
  const found: number[] = []
  for (const key of keys) {
    found.push((await fetch(`${url}/models`, { headers: { authorization: `Bearer ${key}` } })).status)
  }
  program.signal('SIGTERM')
  await program.ended
  return found
}
