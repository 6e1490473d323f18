import { execFile } from 'node:child_process'
import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { buildPackage } from '../../scripts/package.ts'
import { launch } from './program.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const exec = promisify(execFile)

export interface Packed {
  /** The tarball. */
  readonly path: string
  /** What is in it. */
  readonly files: readonly string[]
}

/** Builds the npm package and packs it into `folder`. */
export async function pack(folder: string): Promise<Packed> {
  await buildPackage()
  await mkdir(folder, { recursive: true })
  const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', folder]
  const { stdout } = await exec('npm', args, { cwd: root })
  const parsed: unknown = JSON.parse(stdout)
  // Newer versions of npm key it by the package's name.
  const [packed] = Object.values(parsed as Record<string, { filename: string; files: { path: string }[] }>)
  if (!packed) throw new Error(`npm packed nothing: ${stdout}`)
  return { path: join(folder, packed.filename), files: packed.files.map(({ path }) => path) }
}

/** Puts the package where npm would install it for a program in `folder`, but without its dependencies. */
export async function unpack({ path }: Packed, folder: string): Promise<void> {
  const place = join(folder, 'node_modules/samewire')
  await rm(place, { recursive: true, force: true })
  await mkdir(place, { recursive: true })
  await exec('tar', ['-xzf', path, '-C', place, '--strip-components=1'])
}

/** A user's files. */
const files: Readonly<Record<string, string>> = {
  'package.json': JSON.stringify({ type: 'module' }),
  'samewire.config.ts': `import { type Config, defineConfig } from 'samewire'

const models: Config['models'] = { 'gpt-4o': 'demo/tiny-chat' }

export default defineConfig({ providers: { demo: { type: 'embedded' } }, models })
`,
  'typed.ts': `import { ConfigError, createGateway, defineConfig, type Gateway, type GatewayOptions } from 'samewire'

const config = defineConfig({
  providers: { lab: { type: 'openai-compatible', baseURL: 'http://127.0.0.1:1', apiKey: 'env:LAB_KEY' } },
  models: { small: { deployments: ['lab/small', { model: 'lab/other', weight: 2 }], retries: 1 } },
})
const options: GatewayOptions = { env: { LAB_KEY: 'sk-lab' }, access: 'open', log: (line: string) => console.log(line) }
const gateway: Gateway = createGateway(config, options)
export const answer: Response = await gateway.fetch(new Request('http://localhost/v1/models'))
export const problems = (error: unknown): readonly string[] => (error instanceof ConfigError ? error.problems : [])
// @ts-expect-error: no such setting
defineConfig({ retrys: 1 })
`,
  'tsconfig.json': JSON.stringify({
    compilerOptions: { module: 'nodenext', target: 'es2024', lib: ['es2024', 'dom'], strict: true, noEmit: true },
    files: ['typed.ts', 'samewire.config.ts'],
  }),
}

/** Writes the files of a user of the package. */
export async function writeConsumer(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true })
  await Promise.all(Object.entries(files).map(([name, text]) => writeFile(join(folder, name), text)))
  await copyFile(new URL('consumer.mjs', import.meta.url), join(folder, 'program.mjs'))
  await copyFile(new URL('keeper.mjs', import.meta.url), join(folder, 'keeper.mjs'))
}

/** What a program that imports the package prints. `command` runs it. */
export async function runProgram(
  folder: string,
  command: readonly string[] = [process.execPath],
  file = 'program.mjs',
): Promise<string> {
  const [program = '', ...args] = command
  return (await exec(program, [...args, file], { cwd: folder })).stdout
}

/** What the compiler has to say of the user's files. */
export async function compile(folder: string): Promise<string> {
  const tsc = join(root, 'node_modules/.bin/tsc')
  return await exec(tsc, ['-p', folder], { cwd: folder }).then(
    ({ stdout }) => stdout,
    ({ stdout }) => String(stdout),
  )
}

/** Starts the gateway of an installed package with the user's configuration, and has it answer a chat. */
export async function chatBy(folder: string, args: readonly string[] = []): Promise<string> {
  const entry = join(folder, 'node_modules/samewire/src/node.js')
  const program = launch(args, { HOME: folder }, folder, entry)
  try {
    const [, url] = await program.until(/listens on (\S+)/)
    const response = await fetch(`${url}/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'gpt-4o', temperature: 0, messages: [{ role: 'user', content: 'hi' }] }),
    })
    return await response.text()
  } finally {
    program.signal('SIGTERM')
    await program.ended
  }
}

/** The imports of packages in a script, by their specifiers. */
export async function packagesIn(file: string): Promise<string[]> {
  const text = await readFile(file, 'utf8')
  const specifiers = text.matchAll(/^(?:import|export)\b[^;]*?\bfrom "([^"]+)"|\bimport(?:\(| )"([^"]+)"/gm)
  return [...specifiers].map(([, named, other]) => named ?? other ?? '')
}
