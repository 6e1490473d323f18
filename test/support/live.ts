import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Config } from '../../src/config/schema.ts'
import type { Reply } from './ask.ts'
import { launch, type Program } from './program.ts'

/** The gateway as `npm start` runs it, with a configuration file that can be written anew. */
export interface LiveProgram {
  readonly program: Program
  readonly port: number
  readonly path: string
  /** Puts another file in the place of the configuration, as editors do. */
  write(config: Config | string): Promise<void>
  request(path: string, init?: RequestInit): Promise<Reply>
  /** `GET /admin/config`. */
  config(): Promise<ShownConfig>
  /** Writes a configuration and resolves when the gateway has said what came of it. */
  rewrite(config: Config | string): Promise<ShownConfig>
  close(): Promise<void>
}

export interface ShownConfig {
  readonly hash: string
  readonly source: string
  readonly differs_from_file: boolean
  readonly last_reload: {
    readonly cause: string
    readonly outcome: string
    readonly problems: readonly string[]
    readonly notes: readonly string[]
  } | null
  readonly earlier: readonly { readonly hash: string; readonly loaded_at: number }[]
  readonly workers?: readonly { readonly pid: number; readonly hash: string }[]
  readonly config: Config
}

interface LiveOptions {
  readonly args?: readonly string[]
  readonly env?: Record<string, string>
  readonly name?: string
}

export async function startLive(
  first: Config | string,
  { args = [], env = {}, name = 'samewire.json' }: LiveOptions = {},
): Promise<LiveProgram> {
  const folder = await mkdtemp(join(tmpdir(), 'samewire-'))
  const path = join(folder, name)
  const textOf = (config: Config | string) => (typeof config === 'string' ? config : JSON.stringify(config))
  await writeFile(path, textOf(first))
  const program = launch(['--config', path, ...args], env, folder)
  await program.until(/curl .*\n/)
  const [, port] = await program.until(/listens on http:\/\/127\.0\.0\.1:(\d+)\/v1/)
  const live: LiveProgram = {
    program,
    port: Number(port),
    path,
    async write(config) {
      await writeFile(`${path}.new`, textOf(config))
      await rename(`${path}.new`, path)
    },
    async request(where, init = {}) {
      const key = env.SAMEWIRE_ADMIN_KEY
      const headers = { 'content-type': 'application/json', ...(key && { authorization: `Bearer ${key}` }) }
      const response = await fetch(`http://127.0.0.1:${port}${where}`, { headers, ...init })
      return { status: response.status, headers: response.headers, text: await response.text() }
    },
    config: async () => JSON.parse((await live.request('/admin/config')).text) as ShownConfig,
    async rewrite(config) {
      const told = () => program.printed().match(/\(file\)/g)?.length ?? 0
      const before = told()
      await live.write(config)
      // With one way only to match: others take exponential time to fail.
      await program.until(new RegExp(`^(?:(?:(?!\\(file\\))[\\s\\S])*\\(file\\)){${before + 1}}`))
      return await live.config()
    },
    async close() {
      program.signal('SIGTERM')
      await program.ended
      await rm(folder, { recursive: true })
    },
  }
  return live
}
