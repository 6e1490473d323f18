import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)
export const folder = fileURLToPath(new URL('.', import.meta.url))

/** Installs the clients of a folder unless they are there, in the versions of its lock file. */
export async function installNode(name = ''): Promise<void> {
  const at = join(folder, name)
  const [wanted, present] = await Promise.all([
    versionsIn(join(at, 'package-lock.json')),
    versionsIn(join(at, 'node_modules/.package-lock.json')),
  ])
  if ([...wanted].every((version) => present.has(version))) return
  console.log(`Installing ${name || 'the clients for Node'} …`)
  // Not `npm ci`: it refuses a lock file that lacks the builds for other platforms, which a registry may not have.
  await run('npm', ['install', '--no-save', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: at })
}

/** The packages of a lock file that every machine installs; none if there is no such file. */
async function versionsIn(file: string): Promise<Set<string>> {
  const text = await readFile(file, 'utf8').catch(() => '{"packages":{}}')
  const { packages } = JSON.parse(text) as { packages: Record<string, { version?: string; optional?: boolean }> }
  return new Set(
    Object.entries(packages).flatMap(([path, { version, optional }]) =>
      path === '' || optional ? [] : [`${path} ${version}`],
    ),
  )
}

/** The usual interpreter, or the one that SAMEWIRE_PYTHON names; undefined if it can't install packages. */
export async function findPython(): Promise<string | undefined> {
  const python = process.env.SAMEWIRE_PYTHON ?? 'python3'
  const found = await run(python, ['-m', 'pip', '--version']).catch(() => undefined)
  return found && python
}

/** Installs one requirement into a folder of its own, which it returns, unless that is there. */
export async function installPython(python: string, requirement: string): Promise<string> {
  const target = `${folder}node_modules/.python/${requirement}`
  if (existsSync(target)) return target
  console.log(`Installing ${requirement} …`)
  const whole = `${target}.part`
  await rm(whole, { recursive: true, force: true })
  const quiet = ['--quiet', '--disable-pip-version-check', '--no-input']
  await run(python, ['-m', 'pip', 'install', ...quiet, '--target', whole, ...requirement.split(' ')])
  await rename(whole, target)
  return target
}
