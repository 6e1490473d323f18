import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Config } from '../../src/config/schema.ts'
import { configFile, launch } from '../support/program.ts'
import { usually } from '../support/usually.ts'

/** What the gateway prints when it starts with a configuration. */
async function printed(config: Config, workers = '1', env: Record<string, string> = {}): Promise<string> {
  const file = await configFile(config)
  const program = launch(['--config', file.path, '--workers', workers], env)
  await program.until(/curl .*\n/)
  program.signal('SIGTERM')
  await program.ended
  await file.remove()
  return program.printed()
}

describe('What a user reads at the start', () => {
  it('names the configuration, or says that there is none', async () => {
    expect(await printed({})).toMatch(/^ {2}configuration {2}\S+samewire\S*\.json$/m)
    const folder = await mkdtemp(join(tmpdir(), 'samewire-'))
    const program = launch([], {}, folder)
    await program.until(/curl .*\n/)
    program.signal('SIGTERM')
    await program.ended
    await rm(folder, { recursive: true })
    expect(program.printed()).toContain('  configuration  none in this folder, so what is available is served\n')
  })

  it('offers keys for further providers', async () => {
    expect(await printed({})).toContain('set HF_TOKEN to add Hugging Face')
  })

  it.each(usually(['1'], ['1', '2']))(
    'offers none beside configured providers, which are the only ones: %s workers',
    async (workers) => {
      const text = await printed({ providers: { demo: { type: 'embedded' } } }, workers)
      expect(text).toContain('demo           Embedded')
      expect(text).not.toContain('not configured')
    },
  )

  it('says which missing models the fallback does not answer', async () => {
    const config: Config = { providers: { demo: { type: 'embedded' } }, fallback: 'demo/tiny-chat' }
    expect(await printed(config)).toContain('missing models are answered by demo/tiny-chat\n')
    expect(await printed({ ...config, missing: { unknown: 'error', retired: 'error', absent: 'fallback' } })).toContain(
      'are answered by demo/tiny-chat, but not where `missing` says error: unknown, retired\n',
    )
  })

  it.each(usually(['2'], ['1', '2']))(
    'says who needs a key where clients can have keys of their own: %s workers',
    async (workers) => {
      const folder = await mkdtemp(join(tmpdir(), 'samewire-'))
      const state = { SAMEWIRE_STATE: `file:${join(folder, 'state.db')}` }
      expect(await printed({}, workers, state)).toContain('  to make keys, set SAMEWIRE_ADMIN_KEY')
      const locked = await printed({}, workers, { ...state, SAMEWIRE_ADMIN_KEY: 'the-admin-key-of-this-test' })
      expect(locked).not.toContain('no key required')
      const url = /listens on (\S+)\/v1/.exec(locked)?.[1]
      expect(locked).toContain(`SAMEWIRE_ADMIN_KEY=… npx samewire keys create NAME --url ${url}\n`)
      expect(await printed({}, workers, { ...state, SAMEWIRE_KEY: 'the-key-of-this-test' })).not.toContain(
        'keys create',
      )
      await rm(folder, { recursive: true })
    },
  )
})
