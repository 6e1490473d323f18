import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { registry } from '../../providers/index.ts'
import { lastWords } from '../../src/runtime/draining.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const read = (name: string) => readFile(join(root, name), 'utf8')

const manifest = JSON.parse(await read('package.json')) as {
  readonly scripts: Readonly<Record<string, string>>
  readonly files: readonly string[]
  readonly cloudflare: { readonly bindings: Readonly<Record<string, { readonly description: string }>> }
  readonly bin: { readonly samewire: string }
}
/** What `npm start` passes to V8. */
const flags = manifest.scripts.start?.split(' ').filter((word) => word.startsWith('--')) ?? []

/** Seconds beyond the time of grace in which all of the gateway has ended, worker processes included. */
const reserve = (lastWords + 1_000) / 1_000

describe('the image', async () => {
  /** Instructions with their arguments, without comments, each on one line. */
  const lines = (await read('Dockerfile'))
    .replace(/^#.*\n/gm, '')
    .replace(/\\\n\s*/g, '')
    .split('\n')
    .filter((line) => line.trim() !== '')
  const last = lines.slice(lines.findLastIndex((line) => line.startsWith('FROM ')))
  const [environment = {}] = last
    .filter((line) => line.startsWith('ENV '))
    .map((line) => Object.fromEntries([...line.matchAll(/(\w+)=(\S+)/g)].map(([, name, value]) => [name, value])))
  const argumentsOf = (instruction: string) =>
    last.filter((line) => line.startsWith(`${instruction} `)).map((line) => line.slice(instruction.length + 1))
  const copied = argumentsOf('COPY').flatMap((text) => text.split(' ').slice(1, -1))

  it('has the same Node in all its stages', () => {
    const bases = lines.flatMap((line) => /^FROM (\S+)/.exec(line)?.[1] ?? [])
    expect(bases).toEqual(['node:24-slim', 'node:24-slim'])
  })

  it('has what the npm package has, and its dependencies', () => {
    for (const path of [...manifest.files, 'package.json', 'node_modules']) expect(copied).toContain(`/app/${path}`)
  })

  it('is built of nothing that .dockerignore leaves out, which is all that could hold a key', async () => {
    const [all, ...allowed] = (await read('.dockerignore')).split('\n').filter((line) => line && !line.startsWith('#'))
    expect(all).toBe('*')
    const names = allowed.map((line) => line.slice(1))
    const sources = copied
      .map((path) => path.replace('/app/', '').split('/')[0])
      .filter((name) => name !== 'node_modules' && name !== 'dist')
    expect(names).toEqual(expect.arrayContaining([...sources, 'package-lock.json', 'scripts', 'tsconfig.json']))
    expect(names.filter((name) => /[*?]|env|vars|^\.|local/.test(name))).toEqual([])
  })

  it('starts the gateway as `npm start` does, and not as root', () => {
    expect(argumentsOf('CMD').map((text) => JSON.parse(text))).toEqual([
      ['node', ...flags, `/app/${manifest.bin.samewire}`],
    ])
    expect(last.indexOf('USER node')).toBeGreaterThan(last.findLastIndex((line) => line.startsWith('RUN ')))
  })

  it('listens where others reach it, and has ended before Docker kills it', () => {
    expect(environment).toMatchObject({ HOST: '0.0.0.0', NODE_ENV: 'production' })
    expect(argumentsOf('EXPOSE')).toEqual([environment.PORT])
    expect(Number(environment.SAMEWIRE_GRACE) + reserve).toBeLessThan(10)
  })

  it.each([
    [200, 0],
    [503, 1],
  ])('is healthy by what /health/live says: %d', async (status, code) => {
    const [command = ''] = argumentsOf('HEALTHCHECK').map((text) => text.slice(text.indexOf('CMD ') + 4))
    const [, ...args] = JSON.parse(command) as string[]
    const server = createServer(({ url }, response) => response.writeHead(url === '/health/live' ? status : 404).end())
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
    const { port } = server.address() as AddressInfo
    const check = () =>
      new Promise((ended) => {
        const env = { ...process.env, PORT: String(port) }
        execFile(process.execPath, args, { env }, (error) => ended(error?.code ?? 0))
      })
    expect(await check()).toBe(code)
    server.closeAllConnections()
    await new Promise((closed) => server.close(closed))
    expect(await check()).toBe(1)
  })
})

describe('compose.yaml', async () => {
  const { services, volumes } = parse(await read('compose.yaml'))
  const { samewire, ollama } = services

  it('starts nothing without a key for the gateway', () => {
    expect(samewire.environment.SAMEWIRE_KEY).toMatch(/^\$\{SAMEWIRE_KEY:\?.+\}$/)
  })

  it('starts the gateway once the Ollama answers, by the name that it has there', () => {
    expect(samewire.depends_on).toEqual({ ollama: { condition: 'service_healthy' } })
    expect(ollama.healthcheck.test[0]).toBe('CMD')
    expect(samewire.environment.OLLAMA_HOST).toBe('http://ollama:11434')
  })

  it('keeps what is to be kept, and shows the gateway to this machine only', () => {
    const mounts = [samewire, ollama].flatMap((service) => service.volumes as string[])
    expect(mounts.map((mount) => mount.split(':')[0])).toEqual(Object.keys(volumes))
    expect(mounts).toContain('samewire:/data')
    expect(samewire.ports).toEqual(['127.0.0.1:8787:8787'])
  })
})

describe('the button that deploys to Cloudflare', async () => {
  const lines = (await read('.dev.vars.example')).split('\n')
  const asked = lines.flatMap((line) => /^(\w+)=(.*)$/.exec(line) ?? [])

  it('asks for nothing but the gateway’s key, for which nobody knows a value', () => {
    expect(asked.slice(1)).toEqual(['SAMEWIRE_KEY', ''])
  })

  it('says what that is', () => {
    expect(Object.keys(manifest.cloudflare.bindings)).toEqual(['SAMEWIRE_KEY'])
  })

  it('tells of secrets that the gateway reads', () => {
    const known = Object.values(registry).flatMap(({ env }) => [env?.apiKey, env?.baseURL])
    const told = lines.flatMap((line) => /^# (\w+)=/.exec(line)?.[1] ?? [])
    expect(told).toContain('OPENAI_API_KEY')
    expect(told.filter((name) => !known.includes(name))).toEqual([])
  })
})

describe('the unit for systemd', async () => {
  const unit = await read('contrib/samewire.service')
  const settings = new Map([...unit.matchAll(/^(\w+)=(.*)$/gm)].map(([, name = '', value = '']) => [name, value]))

  it('starts the gateway as `npm start` does, and not as root', () => {
    const command = `/usr/bin/node ${flags.join(' ')} /usr/lib/node_modules/samewire/${manifest.bin.samewire}`
    expect(settings.get('ExecStart')).toBe(command)
    expect(settings.get('DynamicUser')).toBe('yes')
  })

  it('gives running answers their time of grace before it kills', () => {
    const grace = Number(/SAMEWIRE_GRACE=(\d+)/.exec(settings.get('Environment') ?? '')?.[1])
    expect(Number(settings.get('TimeoutStopSec'))).toBeGreaterThan(grace + reserve)
    expect([settings.get('KillSignal'), settings.get('KillMode')]).toEqual(['SIGTERM', 'mixed'])
  })

  it('is one that systemd takes, hardened as far as it can be', async ({ skip }) => {
    const folder = await mkdtemp(join(tmpdir(), 'samewire-'))
    const file = join(folder, 'samewire.service')
    // It looks for the program.
    await writeFile(file, unit.replace('/usr/bin/node', process.execPath))
    const analyze = (...args: string[]) =>
      new Promise<{ missing: boolean; text: string; code: unknown }>((ended) => {
        execFile('systemd-analyze', [...args, file], (error, stdout, stderr) =>
          ended({ missing: error?.code === 'ENOENT', text: stdout + stderr, code: error?.code ?? 0 }),
        )
      })
    const verified = await analyze('verify')
    const rated = await analyze('security', '--offline=true', '--threshold=20', '--no-pager')
    await rm(folder, { recursive: true })
    if (verified.missing) skip('systemd is not here')
    expect(verified).toMatchObject({ text: '', code: 0 })
    expect(rated.text).toContain('Overall exposure level')
    expect(rated.code).toBe(0)
  })
})
