import { execFileSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Config } from '../../src/config/schema.ts'
import { chat } from '../support/ask.ts'
import { configFile, launch, type Program } from '../support/program.ts'
import { type FakeUpstream, fakeUpstream, json } from '../support/upstream.ts'

/** Clears the screen, begins a line of its own, and turns the direction of what follows. */
const evil = "evil\n2026-01-01T00:00:00.000Z all is well\u001b[2J\u009b2J\u2028\u202e'; echo pasted; '"
const shown = "evil\\n2026-01-01T00:00:00.000Z all is well\\u001b[2J\\u009b2J\\u2028\\u202e'; echo pasted; '"

let ollama: FakeUpstream
let file: Awaited<ReturnType<typeof configFile>> | undefined
let program: Program | undefined

beforeEach(async () => {
  ollama = await fakeUpstream((request, response, socket) => {
    if (request.path === '/api/tags') {
      const model = { name: evil, model: evil, modified_at: '2026-01-01T00:00:00Z', details: {} }
      return json(200, { models: [model] })(request, response, socket)
    }
    if (request.path === '/api/pull') return response.end(`${JSON.stringify({ status: 'success' })}\n`)
    return json(404, { error: "model 'x' not found" })(request, response, socket)
  })
})

afterEach(async () => {
  program?.signal('SIGKILL')
  await program?.ended
  await file?.remove()
  file = undefined
  program = undefined
  await ollama.close()
})

async function start(config: Config): Promise<{ program: Program; url: string }> {
  file = await configFile(config)
  program = launch(['--config', file.path])
  await program.until(/curl .*\n/)
  const [, url = ''] = await program.until(/listens on (\S+)/)
  return { program, url }
}

/** Nothing of it reached the terminal as it was. */
function expectHarmless(printed: string): void {
  expect(printed).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]/)
  expect(printed).not.toMatch(/^2026-01-01T00:00:00\.000Z/m)
}

describe('A name that would forge a line', () => {
  it('is shown on its line when an upstream lists it, and the request to paste runs nothing else', async () => {
    const { program } = await start({ providers: { ollama: { type: 'ollama', baseURL: ollama.url } } })
    expectHarmless(program.printed())
    expect(program.printed()).toContain(`${ollama.url}: ${shown}\n`)
    const line = /curl .*/.exec(program.printed())?.[0] ?? ''
    const words = execFileSync('sh', ['-c', `set -- ${line}; for word; do printf '%s\\n' "$word"; done`], {
      encoding: 'utf8',
    })
    expect(JSON.parse(words.trimEnd().split('\n').at(-1) ?? '')).toMatchObject({ model: `ollama/${evil}` })
  })

  it('is logged on its line when a client asks for it and it is pulled', async () => {
    const { program, url } = await start({
      providers: { ollama: { type: 'ollama', baseURL: ollama.url } },
      missing: { not_pulled: { pull: ['*'] } },
    })
    await fetch(`${url}/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(chat(`ollama/${evil}`)),
    })
    await program.until(/Z info {2}ollama\/evil.*: pulled\n/)
    expectHarmless(program.printed())
    expect(program.printed()).toContain(`Z info  ollama/${shown}: pulling\n`)
  })

  it('is told on its line when it stands in a configuration that is wrong', async () => {
    file = await configFile({ providers: { [evil]: { type: evil } }, fallback: evil })
    program = launch(['--config', file.path])
    expect(await program.ended).toBe(1)
    expectHarmless(program.printed())
  })

  it('is told on its line when a configuration throws it', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'samewire-'))
    const path = join(folder, 'throws.mjs')
    await writeFile(path, `throw new Error(${JSON.stringify(evil.replaceAll('\n', '\r'))})`)
    program = launch(['--config', path])
    expect(await program.ended).toBe(1)
    await rm(folder, { recursive: true })
    expectHarmless(program.printed())
    expect(program.printed()).toContain('evil\\r2026')
  })

  it('is told on its line when it is an argument', async () => {
    program = launch([`--${evil}`])
    expect(await program.ended).toBe(2)
    expect(program.printed()).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u202e]/)
  })
})
