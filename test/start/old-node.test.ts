import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('../../', import.meta.url))
const { scripts, engines } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const needed = String(engines.node).replace('>=', '')

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'samewire-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

/** What `npm start` runs, by another program than the `node` of the PATH. */
const started: readonly string[] = scripts.start.split(' ').slice(1)

function run(node: string, args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(node, args, { cwd: root, encoding: 'utf8' })
  return { status, stdout, stderr }
}

/** A file that makes Node take itself for another. */
function pretend(version: string, more = ''): string {
  const file = join(folder, `${version}.cjs`)
  const versions = `{ ...process.versions, node: '${version}' }`
  const code = `Object.defineProperty(process, 'versions', { value: ${versions} })
Object.defineProperty(process, 'version', { value: 'v${version}' })
${more}`
  writeFileSync(file, code)
  return file
}

const remedy = '`npm ci` installs one, which `npm start` then takes.\n'
const tooOld = (version: string) => ({
  status: 1,
  stdout: '',
  stderr: `samewire needs Node ${needed} or newer, and this is ${version}. ${remedy}`,
})

describe('Node', () => {
  it.each(['12.22.12', '20.20.2', '22.9.0', '22.17.9'])('%s is told that it is too old', (version) => {
    const args = ['--require', pretend(version), 'src/node.js', '--version']
    expect(run(process.execPath, args)).toEqual(tooOld(version))
  })

  it('23.5.0, which reads TypeScript only when told to, is told so', () => {
    const file = pretend('23.5.0', "Object.defineProperty(process.features, 'typescript', { value: false })")
    expect(run(process.execPath, ['--require', file, 'src/node.js', '--version'])).toMatchObject({
      status: 1,
      stderr: `samewire needs a Node that reads TypeScript, and this one doesn't. ${remedy}`,
    })
  })

  it.each(['22.18.0', '22.100.1', '24.0.0', '100.0.0'])('%s is new enough', (version) => {
    expect(run(process.execPath, ['--require', pretend(version), 'src/node.js', '--version']).status).toBe(0)
  })

  const others = (process.env.PATH ?? '')
    .split(delimiter)
    .filter((path) => !path.includes('node_modules'))
    .map((path) => join(path, 'node'))
  const versionOf = (node: string) => {
    try {
      return execFileSync(node, ['-p', 'process.versions.node'], { encoding: 'utf8' }).trim()
    } catch {
      return undefined
    }
  }
  const old = others
    .map((node) => ({ node, version: versionOf(node) }))
    .find(({ version }) => Number(version?.split('.')[0]) < 22)

  it.skipIf(!old)(`${old?.version ?? 'that is old'}, of this machine, reads the file that says so`, () => {
    const { node = '', version = '' } = old ?? {}
    expect(run(node, ['src/node.js'])).toEqual(tooOld(version))
    expect(run(node, started)).toEqual(tooOld(version))
  })
})
